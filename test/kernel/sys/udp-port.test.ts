import { createSocket, type Socket } from 'node:dgram'
import { expect } from 'vitest'
import { bindInet, type DatagramService, NetNamespace, openUdp } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'

/** A query is a number and the length of its reply, which repeats the number. */
const service: DatagramService = {
  datagram({ bytes, at }, _, into) {
    const [number, length] = [bytes[at]!, bytes.readUInt16BE(at + 1)]
    into.bytes.fill(number, into.at, into.at + length)
    return length
  },
}

/** The lengths of replies: each client has several of one length in a batch, and some of other lengths. */
const wanted = (number: number) => (number % 5 === 0 ? 40 + number : 1000)
const numbers = Array.from({ length: 21 }, (_, number) => number)

function question(number: number): Buffer {
  const bytes = Buffer.of(number, 0, 0)
  bytes.writeUInt16BE(wanted(number), 1)
  return bytes
}

/**
 * All queries of three clients arrive before the first is read, so they are one batch, and so are the
 * replies.
 */
async function allAnswered(namespace: NetNamespace, listen: string): Promise<void> {
  await using port = openUdp({ address: listen, port: 0, namespace })
  const received = new Map<Socket, Buffer[]>()
  for (let asker = 0; asker < 3; asker++) {
    const { fd } = bindInet('udp', { address: '127.0.0.1', port: 0, namespace })
    const socket = createSocket('udp6')
    await new Promise<void>(resolve => socket.bind({ fd }, resolve))
    const replies: Buffer[] = []
    received.set(socket, replies)
    socket.on('message', bytes => replies.push(bytes))
  }
  try {
    for (const number of numbers)
      for (const socket of received.keys())
        await new Promise(sent => socket.send(question(number), port.port, '::ffff:127.0.0.1', sent))
    port.serve(service)
    expect(await waitFor(() => [...received.values()].every(({ length }) => length === numbers.length))).toBe(
      true,
    )
    const expected = numbers.map(number => Buffer.alloc(wanted(number), number))
    for (const replies of received.values()) expect(replies.sort((a, b) => a[0]! - b[0]!)).toEqual(expected)
    expect(port.lost).toBe(0)
  } finally {
    for (const socket of received.keys()) await new Promise<void>(closed => socket.close(closed))
  }
}

test.for([
  ['bound to one address', '127.0.0.1', 65_536],
  ['bound to all addresses', '::', 65_536],
  // The kernel refuses a train of datagrams that it would have to fragment, so they are sent one by one.
  ['with replies larger than a frame', '127.0.0.1', 600],
] as const)(
  'a UDP port answers many queries at once, each with its own reply, %s',
  async ([, listen, mtu]) => {
    await using namespace = NetNamespace.create()
    await inNamespace(namespace, ['ip', 'link', 'set', 'lo', 'up', 'mtu', `${mtu}`])
    await allAnswered(namespace, listen)
  },
)
