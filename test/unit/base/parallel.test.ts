import { expect, test } from 'vitest'
import { type Deferred, defer } from '../../../src/base/index.ts'
import { inTurns, type TurnsOptions } from '../../../src/base/work/parallel.ts'

/** Items that end when told. */
function started(count: number, options?: TurnsOptions) {
  const doors: Deferred<void>[] = Array.from({ length: count }, () => defer())
  const begun: number[] = []
  const looks: (() => void)[] = []
  const all = inTurns(
    [...doors.keys()],
    (item, look) => {
      begun.push(item)
      looks.push(look)
      return doors[item]!.promise
    },
    options,
  )
  return { doors, begun, looks, all }
}

test('work is done a few items at a time, in order', async () => {
  const { doors, begun, all } = started(3, { limit: 2 })
  expect(begun).toEqual([0, 1])
  doors[1]!.resolve()
  await expect.poll(() => begun).toEqual([0, 1, 2])
  for (const door of doors) door.resolve()
  await all
})

test('without a limit all items are worked on at once', async () => {
  const { doors, begun, all } = started(3)
  expect(begun).toEqual([0, 1, 2])
  for (const door of doors) door.resolve()
  await all
})

test('after a failure no work begins; it is thrown once all under way has ended', async () => {
  const { doors, begun, all } = started(3, { limit: 2 })
  let over = false
  const outcome = expect(all.finally(() => (over = true))).rejects.toThrow('first')
  doors[1]!.reject(new Error('first'))
  await new Promise(setImmediate) // all that follows from it has happened
  expect(over).toBe(false)
  doors[0]!.reject(new Error('second'))
  await outcome
  expect(begun).toEqual([0, 1])
})

test('work that is to go on after a failure is tried for all items, and what failed first is thrown', async () => {
  const { doors, begun, all } = started(3, { limit: 1, goOn: true })
  const outcome = expect(all).rejects.toThrow('first')
  doors[0]!.reject(new Error('first'))
  doors[1]!.reject(new Error('second'))
  doors[2]!.resolve()
  await outcome
  expect(begun).toEqual([0, 1, 2])
})

test('a limit that changes is asked at an end, when work looks, and when it says so itself, while items wait', async () => {
  let most = 1
  const asked: number[] = []
  const watching = new Set<() => void>()
  const { doors, begun, looks, all } = started(5, {
    limit: underWay => {
      asked.push(underWay)
      return most
    },
    again: look => {
      watching.add(look)
      return () => watching.delete(look)
    },
  })
  expect(begun).toEqual([0])
  most = 2
  looks[0]!()
  expect(begun).toEqual([0, 1])
  most = 3
  for (const look of [...watching]) look()
  expect(begun).toEqual([0, 1, 2])
  most = 2
  doors[0]!.resolve()
  await expect.poll(() => asked).toEqual([0, 1, 2, 2])
  expect(begun).toEqual([0, 1, 2])
  most = 9
  looks[1]!()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  expect(watching.size).toBe(0)
  for (const door of doors) door.resolve()
  await all
  expect(asked).toEqual([0, 1, 2, 2, 2])
})

test('work that throws before its first await has failed', async () => {
  const all = inTurns([1], () => {
    throw new Error('at once')
  })
  await expect(all).rejects.toThrow('at once')
})

test('no items are no work', async () => {
  await started(0).all
  await started(0, { limit: 2 }).all
})
