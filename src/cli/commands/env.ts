import type { Command } from 'commander'
import { printSettings } from '../../plan/index.ts'
import { addSettings, settingsOf } from '../options/settings.ts'
import { print, printJson } from '../output.ts'
import type { Session } from '../session.ts'

export function configure(command: Command, session: Session): void {
  addSettings(command, process.argv)
  command
    .option('--json', 'print one JSON value (docs/json.md)')
    .addHelpText(
      'after',
      '\nThese are the settings of `xc start` with the same options: options first, then environment, then defaults.',
    )
    .action((options: Record<string, unknown>) => {
      const settings = settingsOf(session, options)
      if (options.json) printJson({ v: 1, settings })
      else print(printSettings(settings))
    })
}
