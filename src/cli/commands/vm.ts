import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import { nameOption } from '../options/shared.ts'
import { tell } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { talk } from '../terminal.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.console.asks.node.doc)
    .option(...nameOption)
    .action(async (node: string, options: CommonOptions) => {
      const socket = await clientOf(session, options).console(node)
      if (process.stdin.isTTY) tell(`Connected to the console of node ${node}. Ctrl-] leaves.`)
      const end = await talk(socket)
      if (process.stdin.isTTY)
        tell(
          end === 'left'
            ? '\r\nDisconnected; the node keeps running.'
            : '\r\nThe console ended: the node or cluster stopped.',
        )
    })
}
