import { expect, test } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { inTurns } from '../../../src/base/parallel.ts'

test('works on a few at a time, in order', async () => {
  const doors = [1, 2, 3].map(() => defer())
  const begun: number[] = []
  const all = inTurns(
    [0, 1, 2],
    item => {
      begun.push(item)
      return doors[item]!.promise
    },
    { limit: 2 },
  )
  expect(begun).toEqual([0, 1])
  doors[1]!.resolve()
  await doors[1]!.promise
  await expect.poll(() => begun).toEqual([0, 1, 2])
  for (const door of doors) door.resolve()
  await all
})

test('after a failure nothing begins; it is thrown once all under way has ended', async () => {
  const other = defer()
  const begun: number[] = []
  const all = inTurns(
    [0, 1, 2],
    async item => {
      begun.push(item)
      if (item === 1) throw new Error('first')
      await other.promise
    },
    { limit: 2 },
  )
  other.reject(new Error('second'))
  await expect(all).rejects.toThrow('first')
  expect(begun).toEqual([0, 1])
})
