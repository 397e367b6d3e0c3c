import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 5 * 2 ** 31 + 7])('a task runs after %d ms and not before', ms => {
  const task = vi.fn()
  systemClock.after(ms, task)
  vi.advanceTimersByTime(Math.max(ms - 1, 0))
  if (ms > 0) expect(task).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(task).toHaveBeenCalledTimes(1)
})

test('a task after Infinity never runs and keeps nothing waiting', () => {
  systemClock.after(Number.POSITIVE_INFINITY, () => expect.unreachable())
  expect(vi.getTimerCount()).toBe(0)
})

test('a task of more than one timer can be cancelled at any time', () => {
  const cancel = systemClock.after(3 * 2 ** 31, () => expect.unreachable())
  vi.advanceTimersByTime(2 ** 32)
  cancel()
  vi.advanceTimersByTime(2 ** 33)
  expect(vi.getTimerCount()).toBe(0)
})
