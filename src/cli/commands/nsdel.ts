import type { Command } from 'commander'
import { printJson, tell } from '../output.ts'
import { type Session, trustedPlaces } from '../session.ts'
import { numberOf, userOf } from './shared/add-namespace.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('<index>', 'the number of the namespace')
    .option('--json', 'print one JSON value (docs/json.md)')
    .action(async (typed: string, { json }: { readonly json?: boolean }) => {
      const which = { user: userOf(session.env), index: numberOf(typed, 'index') }
      const { removeNamedNamespace } = await import('../../host/index.ts')
      const name = await removeNamedNamespace(which, trustedPlaces(session))
      if (json) printJson({ v: 1, removed: name })
      else tell(`Removed network namespace ${name}.`)
    })
}
