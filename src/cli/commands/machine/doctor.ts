import type { Command } from 'commander'
import { searchPath, withOptions } from '../../../base/index.ts'
import { exitStatus } from '../../errors.ts'
import { addSettings, settingsOf } from '../../options/settings.ts'
import { print, printJson } from '../../output.ts'
import type { CommonOptions, Session } from '../../session.ts'

interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly required: boolean
  readonly found: string
  readonly remedy?: string
}

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .option('--json', 'print one JSON value (docs/json.md)')
    .addHelpText('after', '\nThe exit status is 4 when something that every cluster needs is missing.')
    .action(async (options: CommonOptions & Record<string, unknown>) => {
      const { examine } = await import('../../../host/index.ts')
      const checks = await examine({
        settings: settingsOf(session, options),
        places: session.places,
        searchPath: searchPath(session.env),
      })
      const ok = checks.every(check => check.ok || !check.required)
      if (options.json) printJson({ v: 1, ok, checks })
      else print(checks.map(line).join(''))
      if (!ok) process.exitCode = exitStatus.prerequisite
    })
}

function line({ name, ok, required, found, remedy }: Finding): string {
  const mark = ok ? 'ok  ' : required ? 'FAIL' : 'note'
  return `${mark}  ${name}: ${found}${remedy ? `. ${withOptions(remedy)}` : ''}.\n`
}
