import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { numberOf, userOf } from './shared/add-namespace.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('<index>', 'the number of the namespace')
    .argument('[command...]', 'the command to run instead of a shell, after --')
    .addHelpText(
      'after',
      '\nThe shell has `__netns` set, so `xc start` and `xc br-setup` use this namespace without --netns.',
    )
    .action(async (typed: string, words: string[]) => {
      const which = { user: userOf(session.env), index: numberOf(typed, 'index') }
      const { enterNamedNamespace } = await import('../../host/index.ts')
      process.on('SIGINT', () => {}) // Ctrl-C reaches the whole process group, and is meant for the command
      const line = words.length > 0 ? words : [session.env.SHELL || '/bin/sh']
      process.exitCode = await enterNamedNamespace(which, { command: line, env: session.env })
    })
}
