import type { Command } from 'commander'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { print, printJson } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { reachText } from '../view/reach.ts'

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', '\nExit status 1 when somebody cannot be reached.')
    .action(async (options: CommonOptions) => {
      const report = await clientOf(session, options).check()
      if (options.json) printJson(report)
      else print(reachText(report))
      if (!report.ok) process.exitCode = 1
    })
}
