import { expect, test } from 'vitest'
import { text, u8, u32 } from '../../../src/base/index.ts'
import {
  attributes,
  Connection,
  message,
  type NetlinkTraceValue,
  NLM_F_CREATE,
  NLM_F_DUMP_INTR,
  NLM_F_EXCL,
  request,
  type SocketDescription,
  Subscription,
} from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { Traces } from '../../support/traces.ts'

const thing = message(
  { family: u8, pad1: u8, pad2: u8, pad3: u8 },
  attributes({ name: [1, text], size: [2, u32] }),
)
const names = new Map([
  [20, 'RTM_NEWTHING'],
  [22, 'RTM_GETTHING'],
])
const description: SocketDescription = {
  decoder: {
    area: 'netlink',
    family: 'route',
    nameOf: type => names.get(type),
    read: ({ body }) => thing.read(body),
  },
  namespace: { inode: 4_026_531_840 },
}
const made = (name: string) =>
  request(
    thing,
    { attributes: { name, size: 1 } },
    { type: 20, flags: NLM_F_CREATE | NLM_F_EXCL, op: 'make', target: name },
  )
const listing = request(thing, {}, { type: 22, op: 'list', target: 'things' })
const peer = 'route net:[4026531840]'

function traced(): [FakeKernel, Connection, Traces<NetlinkTraceValue>] {
  const kernel = new FakeKernel()
  return [kernel, new Connection(kernel, description), new Traces('netlink')]
}

test('each message of a batch is traced with name, operation, flags and attributes, and the ack with its duration', async () => {
  const [, connection, traces] = traced()
  using _ = traces
  await connection.batch([made('a'), made('b')])
  const body = (name: string) =>
    `body: {family: 0, pad1: 0, pad2: 0, pad3: 0, attributes: {name: ${name}, size: 1}}`
  expect(traces.lines).toEqual([
    `-> ${peer}: RTM_NEWTHING make a {sequence: 1, flags: REQUEST|EXCL|CREATE, ${body('a')}}`,
    `-> ${peer}: RTM_NEWTHING make b {sequence: 2, flags: REQUEST|ACK|EXCL|CREATE, ${body('b')}}`,
    `<- ${peer}: ack RTM_NEWTHING make b (T ms) {sequence: 2, flags: CAPPED|ACK_TLVS}`,
  ])
})

test('a refused netlink request is traced with the extended ack and our name for the attribute', async () => {
  const [kernel, connection, traces] = traced()
  using _ = traces
  kernel.handler = seen => kernel.ack(seen, { errno: 22, message: 'size too small', offset: 28 })
  await expect(connection.request(made('a'))).rejects.toMatchObject({ attribute: 'size' })
  expect(traces.messages.at(-1)).toMatchObject({
    direction: 'received',
    what: 'EINVAL RTM_NEWTHING make a',
    ms: expect.any(Number),
    value: { errno: 22, message: 'Invalid argument: size too small', offset: 28, attribute: 'size' },
  })
})

test('a netlink dump is traced message by message, with its end', async () => {
  const [kernel, connection, traces] = traced()
  using _ = traces
  let tries = 0
  kernel.handler = seen => {
    const values = [{ attributes: { name: 'a' } }]
    kernel.dump(seen, { type: 20, body: thing, values, flags: tries++ === 0 ? NLM_F_DUMP_INTR : 0 })
  }
  for await (const _ of connection.dump(listing, ({ body }) => thing.read(body)));
  expect(traces.words).toEqual([
    ['sent', 'RTM_GETTHING list things'],
    ['received', 'RTM_NEWTHING list things'],
    ['received', 'done RTM_GETTHING list things'],
    ['sent', 'RTM_GETTHING list things'],
    ['received', 'RTM_NEWTHING list things'],
    ['received', 'done RTM_GETTHING list things'],
  ])
  expect(traces.messages[0]!.value.flags).toBe('REQUEST|DUMP')
  expect(traces.messages[1]!.value).toMatchObject({
    flags: 'MULTI|DUMP_INTR',
    body: { attributes: { name: 'a' } },
  })
})

test('a netlink answer without a request is traced, and one that cannot be decoded is traced with the reason', async () => {
  const [kernel, connection, traces] = traced()
  using _ = traces
  kernel.handler = seen => {
    kernel.reply({ sequence: 99 }, { type: 20, body: thing, value: { attributes: { name: 'late' } } })
    kernel.reply(seen, { type: 20, body: message({}, attributes({})), value: {} })
    kernel.ack(seen)
  }
  await expect(connection.ask(made('a'), ({ body }) => thing.read(body))).rejects.toThrow('decode')
  expect(traces.lines.slice(1, 3)).toEqual([
    `<- ${peer}: RTM_NEWTHING {sequence: 99, body: {family: 0, pad1: 0, pad2: 0, pad3: 0, attributes: {name: late}}}`,
    expect.stringMatching(
      /: RTM_NEWTHING make a \{sequence: 1, body: "decode u8: needs 1 bytes, 0 left at offset \d+"\}$/,
    ),
  ])
})

test('the traces of a netlink socket without a decoder have type numbers and bytes', async () => {
  const kernel = new FakeKernel()
  using traces = new Traces('netlink')
  await new Connection(kernel).request(made('a'))
  expect(traces.lines).toEqual([
    '-> netlink: type 20 make a {sequence: 1, flags: REQUEST|ACK|0x600, body: 0x0000000006000100610000000800020001000000}',
    '<- netlink: ack type 20 make a (T ms) {sequence: 1, flags: CAPPED|ACK_TLVS}',
  ])
})

test('multicast events and an overrun of the receive buffer are traced', async () => {
  const kernel = new FakeKernel()
  using traces = new Traces('netlink')
  const events = new Subscription(kernel, ({ body }) => thing.read(body), description)
  kernel.reply({ sequence: 0 }, { type: 20, body: thing, value: { attributes: { name: 'a' } } })
  kernel.overrun()
  expect(traces.words).toEqual([
    ['received', 'RTM_NEWTHING event'],
    ['noted', 'overrun: the kernel dropped messages, the receive buffer was full'],
  ])
  expect((await events.next()).value).toMatchObject({ attributes: { name: 'a' } })
})

test('tracing changes neither what the kernel receives nor what the caller gets', async () => {
  const run = async (kernel: FakeKernel, connection: Connection) => {
    kernel.handler = seen => {
      if (seen.type === 22)
        kernel.dump(seen, { type: 20, body: thing, values: [{ attributes: { name: 'a' } }] })
      else kernel.ack(seen, { errno: seen.sequence === 2 ? 17 : 0 })
    }
    const outcome = await connection
      .batch([made('a'), made('b'), made('c')])
      .catch(failure => failure.message)
    const listed = []
    for await (const one of connection.dump(listing, ({ body }) => thing.read(body))) listed.push(one)
    return {
      outcome,
      listed,
      sends: kernel.sends.map(send => send.map(({ bytes }) => Buffer.from(bytes).toString('hex'))),
    }
  }
  const quiet = new FakeKernel()
  const expected = await run(quiet, new Connection(quiet, description))
  const [kernel, connection, traces] = traced()
  using _ = traces
  expect(await run(kernel, connection)).toEqual(expected)
  expect(traces.messages.length).toBeGreaterThan(6)
})
