import type { Port, PortReceiver } from '../../src/base/index.ts'
import type { Asker, BufferView } from '../../src/dns/index.ts'
import type { NetlinkReceiver } from '../../src/netlink/index.ts'
import { built } from '../built.ts'

/** One thing that happens often, done so many times. */
export type Path = (times: number) => void | Promise<void>

/** The other side of a port, which answers at once: what is measured is all ours. */
function answering(answer: (bytes: Uint8Array) => Uint8Array, greeting?: string): Port {
  let receiver: PortReceiver | undefined
  return {
    receive(to) {
      receiver = to
      if (greeting) queueMicrotask(() => to.data(Buffer.from(greeting)))
    },
    send: bytes => queueMicrotask(() => receiver?.data(answer(bytes))),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

const taps = 240

/** What a start tells the kernel of 240 taps: into their bridges, and up. */
export async function netlinkBatch(build: URL): Promise<Path> {
  const [{ Connection, NLMSG_ERROR }, { Route }] = [await built('netlink', build), await built('rtnl', build)]
  const ack = Buffer.alloc(36)
  ack.writeUInt32LE(36, 0)
  ack.writeUInt16LE(NLMSG_ERROR, 4)
  const port = answering(bytes => {
    ack.writeUInt32LE(lastSequence(bytes), 8)
    return Uint8Array.from(ack)
  })
  const route = new Route(new Connection(port as Port & { receive(receiver: NetlinkReceiver): void }))
  return async times => {
    for (let i = 0; i < times; i++)
      await route.batch(({ links }) => {
        for (let tap = 0; tap < taps; tap++)
          links.change({ name: `t${tap}`, master: 1000, mtu: 1500, up: true })
      })
  }
}

function lastSequence(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; ; ) {
    const next = at + ((view.getUint32(at, true) + 3) & ~3)
    if (next >= bytes.length) return view.getUint32(at + 8, true)
    at = next
  }
}

const asker: Asker = { transport: 'udp', address: '192.0.2.1', port: 40_000 }
const question = Buffer.from('1234010000010000000000000377777707657861' + '6d706c65036f72670000010001', 'hex')
/** An A record for the name of the question, for an hour. */
const record = Buffer.from('c00c0001000100000e100004c0000201', 'hex')

/** Answers out of the DNS forwarder's cache. */
export async function dnsAnswer(build: URL): Promise<Path> {
  const { openResolver } = await built('dns', build)
  const upstream = () =>
    answering(bytes => {
      const reply = Buffer.concat([bytes.subarray(0, question.length), record])
      reply.writeUInt16BE(0x8180, 2)
      reply.writeUInt16BE(1, 6)
      reply.writeUInt16BE(0, 10)
      return reply
    })
  const dialer = { udp: upstream, tcp: upstream }
  const resolver = openResolver({ upstreams: ['192.0.2.53'], loopCheck: false, dialer })
  await resolver.resolve(question, asker)
  const query: BufferView = { bytes: question, at: 0, length: question.length }
  const into: BufferView = { bytes: Buffer.alloc(512), at: 0, length: 512 }
  return times => {
    for (let i = 0; i < times; i++)
      if (resolver.answerNow(query, asker, into) !== question.length + record.length)
        throw new Error('the answer did not come out of the cache')
  }
}

const greeting = {
  QMP: { version: { qemu: { micro: 0, minor: 2, major: 7 }, package: '' }, capabilities: [] },
}

/** One command to a monitor after the other, each with its reply. */
export async function qmpTrip(build: URL): Promise<Path> {
  const { connectQmp } = await built('qmp', build)
  const reply = Buffer.from('{"return": {"status": "running", "singlestep": false, "running": true}}\r\n')
  const client = await connectQmp(answering(() => reply, `${JSON.stringify(greeting)}\r\n`))
  return async times => {
    for (let i = 0; i < times; i++) await client.execute('query-status')
  }
}
