import type { Command } from 'commander'
import { settingsOf } from '../../options/settings.ts'
import { print } from '../../output.ts'
import type { Session } from '../../session.ts'

export function configure(command: Command, session: Session): void {
  command.argument('<overlay>').action(async (name: string) => {
    const { findOverlay } = await import('../../../host/index.ts')
    const { path } = findOverlay(name, { paths: settingsOf(session, {}).ovlPath, from: process.cwd() })
    print(`${path}\n`)
  })
}
