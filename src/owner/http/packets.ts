import { type Duplex, Writable } from 'node:stream'
import { type AskedOf, unseenHeader, verbs } from '../../api/index.ts'
import { defer } from '../../base/index.ts'
import { resizeBuffer } from '../../sys/index.ts'
import { OwnerError } from '../errors.ts'
import type { Owner } from '../owner.ts'
import { idsOf } from './changes.ts'
import { descriptorOf } from './descriptor.ts'
import { upgradeAnswer } from './streams.ts'

/** Bytes of a capture that the kernel takes at once: with less, the owner and its reader wait for each other. */
const sendBuffer = 4 << 20

/** Connects the socket of an upgraded request to a capture, until it stops sending or leaves, or the links go. */
export async function joinPackets(
  owner: Owner,
  { nodes, nets, filter, snapLength }: AskedOf<typeof verbs.packets>,
  socket: Duplex,
): Promise<void> {
  const fd = descriptorOf(socket)
  if (fd !== undefined) resizeBuffer(fd, 'send', sendBuffer)
  const answered = defer<void>()
  const stream = onwardTo(socket, answered.promise)
  const choice = { nodes: idsOf(owner, nodes), nets: nets?.map(netOf) }
  const capture = await owner.cluster().capture({ ...choice, filter, snapLength, stream, reuse: true })
  const { unseen } = capture
  socket.write(
    upgradeAnswer(verbs.packets, unseen.length > 0 ? [`${unseenHeader}: ${unseen.join(',')}`] : []),
  )
  answered.resolve()
  const end = () => void capture.close().catch(() => {}) // the reader has left
  socket
    .on('end', end)
    .on('close', end)
    .on('error', () => socket.destroy())
  socket.resume()
}

/**
 * Writes to a socket, after what comes first. It calls back for a piece when the kernel has it, so that the capture can
 * use its memory again: a stream in between would need a copy.
 */
function onwardTo(socket: Duplex, begun: Promise<void>): Writable {
  const stream: Writable = new Writable({
    construct: ready => void begun.then(() => ready(), ready),
    write: (piece, _encoding, done) => void socket.write(piece, done),
    final: done => void socket.end(done),
    destroy(failure, done) {
      if (!stream.writableFinished) socket.destroy()
      done(failure)
    },
  })
  return stream
}

function netOf(word: string): number {
  if (/^\d{1,4}$/.test(word)) return Number(word)
  const reason = `nets must be numbers of nets, and '${word}' is none`
  throw new OwnerError({ code: 'BAD_REQUEST', kind: 'usage', op: 'read request', reason })
}
