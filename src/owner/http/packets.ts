import { type Duplex, PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type AskedOf, unseenHeader, verbs } from '../../api/index.ts'
import { OwnerError } from '../errors.ts'
import type { Owner } from '../owner.ts'
import { idsOf } from './changes.ts'
import { upgradeAnswer } from './streams.ts'

/** Connects the socket of an upgraded request to a capture, until it stops sending or leaves, or the links go. */
export async function joinPackets(
  owner: Owner,
  { nodes, nets, filter }: AskedOf<typeof verbs.packets>,
  socket: Duplex,
): Promise<void> {
  const stream = new PassThrough()
  const choice = { nodes: idsOf(owner, nodes), nets: nets?.map(netOf) }
  const capture = await owner.cluster().capture({ ...choice, filter, stream })
  const { unseen } = capture
  socket.write(
    upgradeAnswer(verbs.packets, unseen.length > 0 ? [`${unseenHeader}: ${unseen.join(',')}`] : []),
  )
  const end = () => void capture.close().catch(() => {}) // the reader has left
  socket
    .on('end', end)
    .on('close', end)
    .on('error', () => socket.destroy())
  socket.resume()
  pipeline(stream, socket).catch(() => socket.destroy())
}

function netOf(word: string): number {
  if (/^\d{1,4}$/.test(word)) return Number(word)
  const reason = `nets must be numbers of nets, and '${word}' is none`
  throw new OwnerError({ code: 'BAD_REQUEST', kind: 'usage', op: 'read request', reason })
}
