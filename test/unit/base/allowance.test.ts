import { expect, test } from 'vitest'
import { Allowance } from '../../../src/base/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('an allowance is used up, and grows with time up to its most', () => {
  const clock = new ManualClock()
  const allowance = new Allowance({ clock, most: 100, perSecond: 10 })
  expect(allowance.use(100)).toBe(0)
  expect(allowance.use(5)).toBe(-5)
  expect(allowance.waitMs).toBe(500)
  clock.pass(500)
  expect(allowance.use(0)).toBe(0)
  expect(allowance.waitMs).toBe(0)
  clock.pass(60_000)
  expect(allowance.use(1)).toBe(99)
})
