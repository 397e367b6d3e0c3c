import { expect, test } from 'vitest'
import { type Deferred, defer } from '../../../src/base/index.ts'
import { StartLimit } from '../../../src/host/start-limit.ts'
import { type Passed, startInTurn } from '../../../src/host/start-queue.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** Items that end when the test opens their gate. There is one processor, so two items may begin at first. */
function started(count: number, goOn = false) {
  const clock = new ManualClock()
  const limit = new StartLimit({ cores: 1, accel: 'tcg', clones: false })
  const gates: Deferred<void>[] = Array.from({ length: count }, () => defer())
  const begun: number[] = []
  const steps: Passed[] = []
  const load = { stalledMs: 0, runnable: 1 }
  const work = (item: number, passed: Passed) => {
    begun.push(item)
    steps.push(passed)
    return gates[item]!.promise
  }
  const items = [...gates.keys()]
  const all = startInTurn(items, work, { limit, clock, load: () => ({ atMs: clock.now(), ...load }), goOn })
  return { clock, gates, begun, steps, load, all }
}

test('the start queue begins as many items as the limit allows, in order, and another when one ends', async () => {
  const { begun, gates, clock, load, all } = started(4)
  expect(begun).toEqual([0, 1])
  load.stalledMs = 100
  clock.pass(20)
  gates[1]!.resolve()
  await expect.poll(() => begun).toEqual([0, 1, 2])
  for (const gate of gates) gate.resolve()
  await all
  expect(begun).toEqual([0, 1, 2, 3])
  expect(clock.waiting).toBe(0)
})

test('the start queue begins another item when processors idle, at a sample or at a milestone', async () => {
  const { begun, gates, clock, steps, all } = started(4)
  clock.pass(20)
  expect(begun).toEqual([0, 1, 2])
  clock.pass(10)
  steps[0]!('qmp', 10)
  expect(begun).toEqual([0, 1, 2, 3])
  for (const gate of gates) gate.resolve()
  await all
})

test('the start queue begins no item after a failure, and throws it once the running items have ended', async () => {
  const { begun, gates, all } = started(3)
  gates[1]!.reject(new Error('first'))
  gates[0]!.promise.catch(() => {})
  await expect.poll(() => begun.length).toBe(2)
  gates[0]!.reject(new Error('second'))
  await expect(all).rejects.toThrow('first')
  expect(begun).toEqual([0, 1])
})

test('the start queue with goOn begins all items, and throws the first failure at the end', async () => {
  const { begun, gates, all } = started(3, true)
  gates[0]!.reject(new Error('first'))
  gates[1]!.resolve()
  gates[2]!.resolve()
  await expect(all).rejects.toThrow('first')
  expect(begun).toEqual([0, 1, 2])
})

test('an empty start queue resolves at once', async () => {
  await started(0).all
})
