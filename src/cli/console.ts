import type { ConsoleConnection, OwnerClient } from '../client/index.ts'
import { tell } from './output.ts'
import { talk } from './terminal.ts'

/** A node's console, and what was said to select it. */
export interface Visit {
  readonly client: OwnerClient
  readonly node: string
}

/** Connects this terminal to a console, and tells a user how it ends, and who may type. */
export async function visit({ client, node }: Visit, connection: ConsoleConnection): Promise<void> {
  const { socket, writes } = connection
  const isTerminal = process.stdin.isTTY === true
  if (isTerminal)
    tell(
      writes
        ? `Connected to the console of node ${node}. Ctrl-] leaves.`
        : `Viewing the console of node ${node}: another terminal types there. Ctrl-] leaves; xc vm --take types here.`,
    )
  const forget = writes && isTerminal ? followSize({ client, node }) : () => {}
  const end = await talk(socket, { writes })
  forget()
  if (isTerminal)
    tell(
      end === 'left'
        ? '\nDisconnected; the node keeps running.'
        : '\nThe console ended: the node or cluster stopped.',
    )
}

/**
 * Gives the guest's console the size of this terminal, and each new one. A serial line has no way to carry it, so
 * stty(1) sets it in the guest; its shell is not disturbed, and the program in the foreground gets SIGWINCH. A guest
 * without the agent or stty keeps the size that it has.
 */
function followSize({ client, node }: Visit): () => void {
  const { stdout } = process
  let sending = false
  let again = false
  const send = async (): Promise<void> => {
    again = sending
    if (sending) return
    sending = true
    const argv = ['stty', '-F', '/dev/ttyS0', 'rows', String(stdout.rows), 'cols', String(stdout.columns)]
    await client.exec(node, { argv, timeoutMs: 5000 }).catch(() => {})
    sending = false
    if (again) await send()
  }
  const changed = () => void send()
  stdout.on('resize', changed)
  if (stdout.rows > 0 && stdout.columns > 0) changed()
  return () => void stdout.off('resize', changed)
}
