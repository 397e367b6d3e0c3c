import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { printRaw } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option(...timeoutOption)
    .addHelpText('after', `\n${verbs.metrics.help}`)
    .action(async (options: CommonOptions) => {
      await printRaw(await clientOf(session, options).metrics())
    })
}
