import type { Command } from 'commander'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { print, printJson } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { clusterTable } from '../view/cluster.ts'

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .action(async (options: CommonOptions) => {
      const status = await clientOf(session, options).status()
      if (options.json) printJson(status)
      else print(clusterTable(status))
    })
}
