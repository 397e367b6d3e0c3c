import { expect, test } from 'vitest'
import { text, u8, u32 } from '../../../src/base/index.ts'
import {
  attributes,
  Connection,
  type Message,
  message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  request,
} from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'

const thing = message(
  { family: u8, pad1: u8, pad2: u8, pad3: u8 },
  attributes({ name: [1, text], size: [2, u32] }),
)
const read = ({ body }: Message) => thing.read(body).attributes.name
const asking = (name: string) =>
  request(thing, { attributes: { name, size: 1 } }, { type: 20, op: 'make', target: name })
const listing = request(thing, {}, { type: 22, op: 'list', target: 'things' })

function connected(): [FakeKernel, Connection] {
  const kernel = new FakeKernel()
  return [kernel, new Connection(kernel)]
}
async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

test('a request is one message that asks for an ack', async () => {
  const [kernel, connection] = connected()
  await connection.request(asking('a'))
  expect(kernel.sends[0]?.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([
    [20, NLM_F_REQUEST | NLM_F_ACK, 1],
  ])
})

test('a refusal has code, errno, op, target, the extended ack and the name of the refused attribute', async () => {
  const [kernel, connection] = connected()
  kernel.handler = request => kernel.ack(request, { errno: 22, message: 'size too small', offset: 28 })
  await expect(connection.request(asking('a'))).rejects.toMatchObject({
    code: 'NETLINK_INVALID',
    errnoName: 'EINVAL',
    op: 'make',
    target: 'a',
    offset: 28,
    attribute: 'size',
    message: 'make a: Invalid argument: size too small (size)',
  })
})

test('a batch takes as few datagrams as possible with one ack each, and continues after a failure', async () => {
  const [kernel, connection] = connected()
  kernel.handler = request => kernel.ack(request, { errno: request.sequence === 150 ? 17 : 0 })
  const requests = Array.from({ length: 300 }, (_, i) => asking(`t${i}`))
  await expect(connection.batch(requests)).rejects.toMatchObject({
    code: 'NETLINK_EXISTS',
    message: 'make t149: File exists',
    others: [],
  })
  expect(kernel.sends.map(sent => sent.length)).toEqual([128, 128, 44])
  expect(
    kernel.sends
      .flat()
      .filter(({ flags }) => flags & NLM_F_ACK)
      .map(({ sequence }) => sequence),
  ).toEqual([128, 256, 300])
})

test('a batch with several failures throws the first, with the others in it', async () => {
  const [kernel, connection] = connected()
  kernel.handler = request => kernel.ack(request, { errno: 1 })
  await expect(connection.batch([asking('a'), asking('b'), asking('c')])).rejects.toMatchObject({
    kind: 'prerequisite',
    reason: 'Operation not permitted (and 2 more of 3 failed)',
    others: [{ target: 'b' }, { target: 'c' }],
  })
})

test('an empty batch sends nothing', async () => {
  const [kernel, connection] = connected()
  await connection.batch([])
  expect(kernel.sends).toEqual([])
})

test('each of several queries has an answer of its own', async () => {
  const [kernel, connection] = connected()
  kernel.handler = seen => {
    if (seen.sequence !== 2) kernel.reply(seen, { type: 20, body: thing, value: thing.read(seen.body) })
    kernel.ack(seen, { errno: seen.sequence === 2 ? 19 : 0 })
  }
  const answers = await connection.askEach(['a', 'b', 'c'].map(asking), read)
  expect(answers).toMatchObject([['a'], { code: 'NETLINK_NOT_FOUND', target: 'b' }, ['c']])
  await expect(connection.ask(asking('d'), read)).resolves.toEqual(['d'])
})

test('an interrupted dump is requested again, and given up after 20 attempts', async () => {
  const [kernel, connection] = connected()
  let interrupted = 2
  kernel.handler = seen =>
    kernel.dump(seen, {
      type: 20,
      body: thing,
      values: [{ attributes: { name: `try ${kernel.sends.length}` } }],
      flags: interrupted-- > 0 ? NLM_F_DUMP_INTR : 0,
    })
  expect(await collect(connection.dump(listing, read))).toEqual(['try 3'])
  expect(kernel.sends[0]?.[0]?.flags).toBe(NLM_F_REQUEST | NLM_F_DUMP)
  interrupted = 1000
  await expect(collect(connection.dump(listing, read))).rejects.toMatchObject({
    code: 'NETLINK_DUMP_INTERRUPTED',
    message: expect.stringContaining('list things: the table changed during each of 20 attempts to list it'),
  })
})

test('a failed dump is reported through NLMSG_DONE', async () => {
  const [kernel, connection] = connected()
  kernel.handler = seen => kernel.dump(seen, { type: 20, body: thing, values: [], errno: 2 })
  await expect(collect(connection.dump(listing, read))).rejects.toMatchObject({
    errnoName: 'ENOENT',
    op: 'list',
  })
})

test('dumps take turns on the socket, and requests do not wait for them', async () => {
  const [kernel, connection] = connected()
  const dumps: (() => void)[] = []
  kernel.handler = seen => {
    if (seen.type !== 22) return kernel.ack(seen)
    dumps.push(() => kernel.dump(seen, { type: 20, body: thing, values: [{ attributes: { name: 'x' } }] }))
  }
  const both = Promise.all([collect(connection.dump(listing, read)), collect(connection.dump(listing, read))])
  await connection.request(asking('meanwhile'))
  expect(dumps).toHaveLength(1)
  kernel.handler = seen =>
    kernel.dump(seen, { type: 20, body: thing, values: [{ attributes: { name: 'y' } }] })
  dumps[0]?.()
  expect(await both).toEqual([['x'], ['y']])
})

test('unexpected answers are dropped', async () => {
  const [kernel, connection] = connected()
  kernel.handler = seen => {
    kernel.ack(seen)
    kernel.ack(seen)
    kernel.reply({ sequence: 99 }, { type: 20, body: thing, value: {} })
  }
  await connection.request(asking('a'))
  await connection.request(asking('b'))
})

test('after lost answers pending requests fail with an unknown outcome, and later ones work', async () => {
  const [kernel, connection] = connected()
  kernel.handler = () => kernel.overrun()
  await expect(connection.request(asking('a'))).rejects.toMatchObject({
    code: 'NETLINK_ANSWERS_LOST',
    reason: expect.stringContaining('outcome is unknown'),
  })
  kernel.handler = seen => kernel.ack(seen)
  await connection.request(asking('b'))
})

test('close() rejects pending requests, can be called twice, and makes later use throw', async () => {
  const [kernel, connection] = connected()
  kernel.handler = () => {}
  const pending = connection.batch([asking('a'), asking('b')])
  const closing = Promise.all([connection.close(), connection.close()])
  await expect(pending).rejects.toMatchObject({
    code: 'NETLINK_CLOSED',
    message: 'make a and 1 more: the netlink socket is closed',
  })
  await closing
  await expect(connection.request(asking('c'))).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
  await expect(collect(connection.dump(listing, read))).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
})

test('a socket that fails rejects its pending requests with the cause', async () => {
  const [kernel, connection] = connected()
  kernel.handler = () => kernel.end(new Error('bad descriptor'))
  for (const name of ['a', 'b'])
    await expect(connection.request(asking(name))).rejects.toThrow(
      `make ${name}: the netlink socket failed: bad descriptor`,
    )
})

test('a failed send rejects only its own request', async () => {
  const [kernel, connection] = connected()
  const send = kernel.send
  kernel.send = () => {
    throw new Error('Message too long')
  }
  await expect(connection.request(asking('a'))).rejects.toMatchObject({
    code: 'NETLINK_SEND',
    message: 'make a: Message too long',
  })
  kernel.send = send
  await connection.request(asking('b'))
})

test('a malformed datagram or answer rejects the request instead of leaving it pending', async () => {
  const [kernel, connection] = connected()
  kernel.handler = () => kernel.data(Uint8Array.of(4, 0, 0, 0))
  await expect(connection.request(asking('a'))).rejects.toThrow('needs 2 bytes, 0 left at offset 4')
  kernel.handler = seen =>
    kernel.reply(seen, { type: 20, body: { write: out => out.u8(1) }, value: undefined })
  await expect(connection.ask(asking('b'), read)).rejects.toThrow('needs 1 bytes, 0 left')
})
