import { expect, test } from 'vitest'
import { measure, resultOf } from '../../../bench/benchmark.ts'
import { type Report, regressions } from '../../../bench/compare.ts'

test('rounds alternate, the first is discarded, and ratios are taken round by round', async () => {
  const order: string[] = []
  const give = (name: string, values: number[]) => async () => {
    order.push(name)
    return { c: values.shift()! }
  }
  const results = await measure(
    {
      n: 6,
      units: { c: 'ms' },
      variants: { a: give('a', [99, 1, 2, 9]), b: give('b', [99, 2, 4, 3]) },
      ratios: [['a', 'b']],
    },
    3,
  )
  expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a'])
  expect(results).toEqual([
    { name: 'c', variant: 'a', unit: 'ms', n: 6, median: 2, min: 1, max: 9, samples: [1, 2, 9] },
    { name: 'c', variant: 'b', unit: 'ms', n: 6, median: 3, min: 2, max: 4, samples: [2, 4, 3] },
    { name: 'c', variant: 'a ÷ b', unit: '×', n: 6, median: 0.5, min: 0.5, max: 3, samples: [0.5, 0.5, 3] },
  ])
})

test('a round gives several figures, and a variant without a figure has no row for it', async () => {
  const results = await measure(
    {
      n: 1,
      units: { ready: 'ms', pss: 'MiB' },
      variants: { ours: async () => ({ pss: 20, ready: 5 }), theirs: async () => ({ ready: 7 }) },
    },
    1,
  )
  expect(results.map(({ name, variant, unit, samples }) => [name, variant, unit, samples])).toEqual([
    ['ready', 'ours', 'ms', [5]],
    ['ready', 'theirs', 'ms', [7]],
    ['pss', 'ours', 'MiB', [20]],
  ])
})

test("a figure got worse when it is beyond the spread of both runs, in its unit's direction, for the same n and enough rounds", () => {
  const report = (unit: string, samples: number[], n = 1): Report => {
    const result = resultOf({ name: 'c', variant: 'a', n, unit }, samples)
    const machine = { cpu: '', cores: 1, kernel: '', node: '', qemu: null, accel: null }
    return { v: 1, bench: 'x', machine, results: [result] }
  }
  const before = report('µs', [90, 100, 110])
  expect(regressions(before, report('µs', [111, 120, 130]))).toEqual(['c, a, n = 1: 100 → 120 µs'])
  expect(regressions(before, report('µs', [95, 120, 130]))).toEqual([])
  expect(regressions(before, report('µs', [101, 109, 130]))).toEqual([])
  expect(regressions(before, report('µs', [10, 11, 12]))).toEqual([])
  expect(regressions(before, report('µs', [111, 120, 130], 6))).toEqual([])
  expect(regressions(before, report('µs', [120, 130]))).toEqual([])
  const rate = report('per second', [90, 100, 110])
  expect(regressions(rate, report('per second', [70, 80, 99]))).toHaveLength(1)
  expect(regressions(rate, report('per second', [200, 210, 220]))).toEqual([])
})
