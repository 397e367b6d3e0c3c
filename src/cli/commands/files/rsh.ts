import type { Command } from 'commander'
import { verbs } from '../../../api/index.ts'
import { nameOption } from '../../options/shared.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'

interface RshOptions extends CommonOptions {
  readonly bg?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.spawn.asks.node.doc)
    .argument('<command...>', 'a line for the shell of the node')
    .usage('[--bg] NODE COMMAND…')
    .passThroughOptions()
    .option(...nameOption)
    .option('--bg', 'return when it has started; it goes on without input and output')
    .addHelpText(
      'after',
      '\nAs rsh(1) does, the words are one line for the shell. `xc exec` passes on arguments as they are.',
    )
    .action((node: string, words: string[], options: RshOptions) => rsh(session, { node, words, options }))
}

interface Rsh {
  readonly node: string
  readonly words: readonly string[]
  readonly options: RshOptions
}

async function rsh(session: Session, { node, words, options }: Rsh): Promise<void> {
  const line = words.join(' ')
  const command = await clientOf(session, options).spawn(node, { words: ['/bin/sh', '-c', line] })
  if (options.bg) return await detached(command)
  const { connected } = await import('../../connected.ts')
  const { status } = await connected(command, {})
  process.exitCode = status
}

async function detached(command: Awaited<ReturnType<ReturnType<typeof clientOf>['spawn']>>): Promise<void> {
  command.stdin.end()
  command.detach()
  await command.exit.catch(() => {})
}
