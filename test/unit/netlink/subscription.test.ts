import { expect, test } from 'vitest'
import { text } from '../../../src/base/index.ts'
import { attributes, message, Subscription } from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'

const thing = message({}, attributes({ name: [1, text] }))

function subscribed(limit?: number): [FakeKernel, Subscription<string>] {
  const kernel = new FakeKernel()
  const read = ({ type, body }: { type: number; body: Parameters<typeof thing.read>[0] }) =>
    type === 16 ? thing.read(body).attributes.name : undefined
  return [kernel, new Subscription(kernel, read, limit === undefined ? {} : { limit })]
}
const tell = (kernel: FakeKernel, name: string, type = 16) =>
  kernel.reply({ sequence: 0 }, { type, body: thing, value: { attributes: { name } } })

test('events arrive in order, with a mark where the kernel dropped some', async () => {
  const [kernel, events] = subscribed()
  tell(kernel, 'a')
  tell(kernel, 'of no interest', 99)
  kernel.overrun()
  tell(kernel, 'b')
  expect([(await events.next()).value, (await events.next()).value, (await events.next()).value]).toEqual([
    'a',
    { type: 'lost' },
    'b',
  ])
})

test('a listener that lags is told that events were lost', async () => {
  const [kernel, events] = subscribed(2)
  for (const name of ['a', 'b', 'c']) tell(kernel, name)
  expect((await events.next()).value).toEqual({ type: 'lost', count: 1 })
  expect((await events.next()).value).toBe('b')
  expect(events.lost).toBe(1)
})

test('leaving the loop over events closes the socket', async () => {
  const [kernel, events] = subscribed()
  tell(kernel, 'a')
  for await (const _ of events) break
  expect(kernel.closes).toBe(1)
})

test('a failing socket or a malformed event ends the loop with the cause', async () => {
  const [kernel, events] = subscribed()
  kernel.end(new Error('gone'))
  await expect(events.next()).rejects.toMatchObject({ code: 'NETLINK_CLOSED', op: 'listen for events' })
  const [other, malformed] = subscribed()
  other.data(Uint8Array.of(1))
  await expect(malformed.next()).rejects.toMatchObject({ code: 'MALFORMED_BYTES' })
})

test('closed resolves with undefined after close, and with the failure of the socket', async () => {
  const [, events] = subscribed()
  await events.close()
  expect(await events.closed).toBeUndefined()
  const [kernel, failing] = subscribed()
  kernel.end(new Error('gone'))
  expect(await failing.closed).toMatchObject({ code: 'NETLINK_CLOSED' })
})
