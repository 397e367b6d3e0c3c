import type { Command } from 'commander'
import { printSettings, type Settings } from '../../plan/index.ts'
import { addSettings, settingsOf, withTopologyFile } from '../options/settings.ts'
import { spoofFileIn } from '../options/spoof-file.ts'
import { strangeVariables } from '../options/strange.ts'
import { print, printJson, printRaw, tell } from '../output.ts'
import type { Session } from '../session.ts'
import { explainedSettings } from '../view/explained.ts'

/**
 * For `eval`. A file in `__dns_spoof` stays there: in a shell that has exported that variable and not `__dns_hosts`, it
 * would be lost otherwise.
 */
function evaluable(settings: Settings, spoofFile: string | undefined): string {
  const text = printSettings(settings)
  if (spoofFile === undefined) return text
  const [, file = ''] = /^__dns_hosts=(.*)$/m.exec(text) ?? []
  return text.replace(/^__dns_spoof=$/m, () => `__dns_spoof=${file}`)
}

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .option('--explain', 'print where each value comes from and what it is')
    .option('--json', 'print one JSON value (docs/json.md)')
    .addHelpText(
      'after',
      '\nThese are the settings of `xc start` with the same options: options first, then environment, then defaults.',
    )
    .action(async (options: Record<string, unknown>) => {
      const given = await withTopologyFile(session, options)
      const settings = settingsOf(session, given)
      if (options.explain) {
        print(explainedSettings(settings, { env: session.env, options, given }))
        for (const text of strangeVariables(session.env)) tell(`note: ${text}`)
      } else if (options.json) printJson({ v: 1, settings })
      else await printRaw(evaluable(settings, spoofFileIn({ env: session.env, options })))
    })
}
