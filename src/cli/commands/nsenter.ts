import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { numberOf, userOf } from './shared/add-namespace.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('<index>', 'the number that the namespace was made with')
    .argument('[command...]', 'what to run instead of a shell, after --')
    .addHelpText(
      'after',
      '\nIn it `__netns` says where: `xc start` and `xc br-setup` need not be told again.',
    )
    .action(async (typed: string, words: string[]) => {
      const which = { user: userOf(session.env), index: numberOf(typed, 'index') }
      const { enterNamedNamespace } = await import('../../host/index.ts')
      process.on('SIGINT', () => {}) // Ctrl-C is for what runs in there; it reaches all of us
      const line = words.length > 0 ? words : [session.env.SHELL || '/bin/sh']
      process.exitCode = await enterNamedNamespace(which, { command: line, env: session.env })
    })
}
