import { expect, test } from 'vitest'
import { type Deferred, defer } from '../../../src/base/index.ts'
import { StartLimit } from '../../../src/host/start-limit.ts'
import { type Passed, startInTurn } from '../../../src/host/start-queue.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** Items that end when told; on one processor, so that two may begin at first. */
function started(count: number, goOn = false) {
  const clock = new ManualClock()
  const limit = new StartLimit({ cores: 1, accel: 'tcg', clones: false })
  const doors: Deferred<void>[] = Array.from({ length: count }, () => defer())
  const begun: number[] = []
  const steps: Passed[] = []
  const load = { stalledMs: 0, runnable: 1 }
  const work = (item: number, passed: Passed) => {
    begun.push(item)
    steps.push(passed)
    return doors[item]!.promise
  }
  const items = [...doors.keys()]
  const all = startInTurn(items, work, { limit, clock, load: () => ({ atMs: clock.now(), ...load }), goOn })
  return { clock, doors, begun, steps, load, all }
}

test('begins as many as the limit lets, in order, and another when one has ended', async () => {
  const { begun, doors, clock, load, all } = started(4)
  expect(begun).toEqual([0, 1])
  load.stalledMs = 100
  clock.pass(20)
  doors[1]!.resolve()
  await expect.poll(() => begun).toEqual([0, 1, 2])
  for (const door of doors) door.resolve()
  await all
  expect(begun).toEqual([0, 1, 2, 3])
  expect(clock.waiting).toBe(0)
})

test('begins another when processors idle, after a look or when something was passed', async () => {
  const { begun, doors, clock, steps, all } = started(4)
  clock.pass(20)
  expect(begun).toEqual([0, 1, 2])
  clock.pass(10)
  steps[0]!('qmp', 10)
  expect(begun).toEqual([0, 1, 2, 3])
  for (const door of doors) door.resolve()
  await all
})

test('after a failure nothing begins; it is thrown once all under way has ended', async () => {
  const { begun, doors, all } = started(3)
  doors[1]!.reject(new Error('first'))
  doors[0]!.promise.catch(() => {})
  await expect.poll(() => begun.length).toBe(2)
  doors[0]!.reject(new Error('second'))
  await expect(all).rejects.toThrow('first')
  expect(begun).toEqual([0, 1])
})

test('unless it is to go on: then all are tried', async () => {
  const { begun, doors, all } = started(3, true)
  doors[0]!.reject(new Error('first'))
  doors[1]!.resolve()
  doors[2]!.resolve()
  await expect(all).rejects.toThrow('first')
  expect(begun).toEqual([0, 1, 2])
})

test('nothing to do is done', async () => {
  await started(0).all
})
