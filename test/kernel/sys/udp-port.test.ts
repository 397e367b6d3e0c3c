import { createSocket, type Socket } from 'node:dgram'
import { expect } from 'vitest'
import { bindInet, type DatagramService, NetNamespace, openUdp } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'

/** A question is a number and how long the reply is to be, which is full of the number. */
const service: DatagramService = {
  datagram({ bytes, at }, _, into) {
    const [number, length] = [bytes[at]!, bytes.readUInt16BE(at + 1)]
    into.bytes.fill(number, into.at, into.at + length)
    return length
  },
}

/** Lengths that a batch has several of, for each asker, and some that it has not. */
const wanted = (number: number) => (number % 5 === 0 ? 40 + number : 1000)
const numbers = Array.from({ length: 21 }, (_, number) => number)

function question(number: number): Buffer {
  const bytes = Buffer.of(number, 0, 0)
  bytes.writeUInt16BE(wanted(number), 1)
  return bytes
}

/** All questions of three askers are there before the first is read: they are one batch, as are their replies. */
async function allAnswered(namespace: NetNamespace, listen: string): Promise<void> {
  await using port = openUdp({ address: listen, port: 0, namespace })
  const heard = new Map<Socket, Buffer[]>()
  for (let asker = 0; asker < 3; asker++) {
    const { fd } = bindInet('udp', { address: '127.0.0.1', port: 0, namespace })
    const socket = createSocket('udp6')
    await new Promise<void>(resolve => socket.bind({ fd }, resolve))
    const replies: Buffer[] = []
    heard.set(socket, replies)
    socket.on('message', bytes => replies.push(bytes))
  }
  try {
    for (const number of numbers)
      for (const socket of heard.keys())
        await new Promise(sent => socket.send(question(number), port.port, '::ffff:127.0.0.1', sent))
    port.serve(service)
    expect(await waitFor(() => [...heard.values()].every(({ length }) => length === numbers.length))).toBe(
      true,
    )
    const expected = numbers.map(number => Buffer.alloc(wanted(number), number))
    for (const replies of heard.values()) expect(replies.sort((a, b) => a[0]! - b[0]!)).toEqual(expected)
    expect(port.lost).toBe(0)
  } finally {
    for (const socket of heard.keys()) await new Promise<void>(closed => socket.close(closed))
  }
}

test.for([
  ['on one address', '127.0.0.1', 65_536],
  ['on all addresses', '::', 65_536],
  // The kernel refuses a train of datagrams that it would have to fragment: they go one by one.
  ['where a reply does not fit into a frame', '127.0.0.1', 600],
] as const)('many at once have their own replies, %s', async ([, listen, mtu]) => {
  await using namespace = NetNamespace.create()
  await inNamespace(namespace, ['ip', 'link', 'set', 'lo', 'up', 'mtu', `${mtu}`])
  await allAnswered(namespace, listen)
})
