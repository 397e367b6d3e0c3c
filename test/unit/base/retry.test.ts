import { expect, test } from 'vitest'
import { until } from '../../../src/base/index.ts'
import type { RetryOptions } from '../../../src/base/work/retry.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** What has been said by then has had its consequences. */
const settled = () => new Promise(setImmediate)

/** Looks at `answers` one after the other, then at the last of them for ever. */
function looking<T>(answers: readonly T[], options: Omit<RetryOptions, 'why'>) {
  const clock = new ManualClock()
  const looks: number[] = []
  const look = () => {
    looks.push(clock.now())
    return answers[Math.min(looks.length, answers.length) - 1]!
  }
  const seen = until(clock, look, { ...options, why: 'idleness' })
  const pass = async (ms: number) => {
    clock.pass(ms)
    await settled()
  }
  return { clock, looks, seen, pass }
}

test('what is there at once is not waited for', async () => {
  const { clock, looks, seen } = looking(['here'], { everyMs: 10 })
  expect(await seen).toBe('here')
  expect(looks).toEqual([0])
  expect(clock.waiting).toBe(0)
})

test('looks come every so often until something is there', async () => {
  const { clock, looks, seen, pass } = looking([undefined, undefined, 'here'], { everyMs: 10 })
  await settled()
  for (let i = 0; i < 4; i++) await pass(5)
  expect(await seen).toBe('here')
  expect(looks).toEqual([0, 10, 20])
  expect(clock.waiting).toBe(0)
})

test('looks may come ever more rarely', async () => {
  const { looks, pass } = looking([false], { everyMs: looks => 10 * 2 ** looks })
  await settled()
  for (let i = 0; i < 14; i++) await pass(10)
  expect(looks).toEqual([0, 20, 60, 140])
})

test('the last look comes when the time is over, and what it gave is given', async () => {
  const { clock, looks, seen, pass } = looking([1, 0], { everyMs: 10, withinMs: 25 })
  expect(await seen).toBe(1)
  const late = looking([0, 0, 0, 3], { everyMs: 10, withinMs: 25 })
  await settled()
  for (let i = 0; i < 5; i++) await late.pass(5)
  expect([await late.seen, late.looks]).toEqual([3, [0, 10, 20, 25]])
  await pass(100)
  expect([looks, clock.waiting]).toEqual([[0], 0])
})

test('nothing in time is what the last look gave', async () => {
  const { clock, looks, seen, pass } = looking([undefined], { everyMs: 10, withinMs: 20 })
  await settled()
  for (let i = 0; i < 4; i++) await pass(10)
  expect(await seen).toBeUndefined()
  expect(looks).toEqual([0, 10, 20])
  expect(clock.waiting).toBe(0)
})

test('without time there is one look', async () => {
  const { looks, seen } = looking([false], { everyMs: 10, withinMs: 0 })
  expect(await seen).toBe(false)
  expect(looks).toEqual([0])
})

test('a signal ends the waiting, and nothing is looked at after it', async () => {
  const end = new AbortController()
  const { clock, looks, seen } = looking([undefined], { everyMs: 10, signal: end.signal })
  await settled()
  end.abort()
  expect(await seen).toBeUndefined()
  expect(looks).toEqual([0])
  expect(clock.waiting).toBe(0)
})

test('a look that throws ends the waiting', async () => {
  const clock = new ManualClock()
  const look = () => {
    throw new Error('no such directory')
  }
  await expect(until(clock, look, { everyMs: 10, why: 'lock' })).rejects.toThrow('no such directory')
  expect(clock.waiting).toBe(0)
})
