import { expect, test } from 'vitest'
import type { ClusterEvent, Counters } from '../../../src/api/index.ts'
import { Broadcast } from '../../../src/base/index.ts'
import { countersEvent, listenTo } from '../../../src/cluster/counted-events.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const counted = (frames: number, bytes: number, dropped?: number) => ({
  ...{ frames, bytes },
  ...(dropped !== undefined && { dropped }),
})

function counters(atMs: number, frames: number): Counters {
  const net = (id: number) => ({
    ...{ net: 1, dev: 'eth1', sent: counted(frames * id, frames * 100 * id, id) },
    ...{ received: counted(frames, frames * 10, 0) },
  })
  return {
    ...{ v: 1, atMs, load: [0, 0, 0] },
    nodes: [
      { id: 1, nets: [net(1)] },
      { id: 201, nets: [net(2)] },
    ],
  }
}

test('counters of two readings give rates of each link and net', () => {
  const event = countersEvent(counters(1000, 10), counters(3000, 30))
  expect(event).toMatchObject({ type: 'counters', seconds: 2 })
  expect(event.links[1]).toEqual({
    ...{ id: 201, name: 'vm-201', dev: 'eth1', net: 1 },
    sent: { frames: 60, bytes: 6000, dropped: 2, framesPerSecond: 20, bitsPerSecond: 16_000 },
    received: { frames: 30, bytes: 300, dropped: 0, framesPerSecond: 10, bitsPerSecond: 800 },
  })
  expect(event.nets).toEqual([
    { net: 1, frames: 90, bytes: 9000, dropped: 3, framesPerSecond: 30, bitsPerSecond: 24_000 },
  ])
  const afterReset = countersEvent(counters(1000, 10), counters(2000, 4))
  expect(afterReset.links[0]!.sent).toMatchObject({ frames: 4, framesPerSecond: 4 })
})

test('a listener that asks for counters has them at its own times, until it leaves; others have none', async () => {
  const events = new Broadcast<ClusterEvent>()
  const clock = new ManualClock()
  let frames = 0
  const read = async () => counters(clock.now(), ++frames)
  const turn = () => new Promise(resolve => setImmediate(resolve))
  const other = listenTo(events, {}, { clock, read })
  const queue = listenTo(events, { countersMs: 500 }, { clock, read })
  await turn()
  events.send({ type: 'notice', text: 'between' })
  for (let times = 0; times < 2; times++) {
    clock.pass(500)
    await turn()
  }
  const types = [await queue.next(), await queue.next(), await queue.next()].map(({ value }) => value.type)
  expect(types).toEqual(['notice', 'counters', 'counters'])
  expect(clock.waiting).toBe(1)
  queue.end()
  expect(clock.waiting).toBe(0)
  expect(await other.next()).toMatchObject({ value: { type: 'notice' } })
  events.end()
  expect(await other.next()).toMatchObject({ done: true })
})

test('counters that cannot be read yet, or any more, are left out', async () => {
  const events = new Broadcast<ClusterEvent>()
  const clock = new ManualClock()
  const turn = () => new Promise(resolve => setImmediate(resolve))
  const answers = [
    () => undefined,
    () => Promise.reject(new Error('gone')),
    async () => counters(2, 1),
    async () => counters(1002, 2),
  ]
  const read = () => answers.shift()?.()
  await using queue = listenTo(events, { countersMs: 1000 }, { clock, read })
  for (let times = 0; times < 3; times++) {
    await turn()
    clock.pass(1000)
  }
  await turn()
  expect(await queue.next()).toMatchObject({ value: { type: 'counters', seconds: 1 } })
})

test.each([Number.NaN, 0, 99, 86_400_001, Number.POSITIVE_INFINITY])(
  'counters each %s ms are refused',
  countersMs => {
    const listen = () =>
      listenTo(new Broadcast(), { countersMs }, { clock: new ManualClock(), read: () => undefined })
    expect(listen).toThrow(`countersMs is ${countersMs}, and can be from 100 to 86400000`)
  },
)
