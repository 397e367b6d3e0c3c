import { expect } from 'vitest'
import { measure } from '../../../bench/benchmark.ts'
import { networkCase } from '../../../bench/net.bench.ts'
import { Scope } from '../../../src/base/index.ts'
import { test } from '../../support/leaks.ts'

test('every contender of the net benchmark makes the same network, and leaves nothing behind', async () => {
  await using scope = new Scope()
  const results = await measure(await networkCase(3, scope), 1)
  expect(results.map(({ name, variant }) => `${name} ${variant}`)).toEqual([
    'load ours-first',
    ...['create ours', 'create ours-first', 'create shell', 'create ip-batch', 'create floor'],
    ...['delete ours', 'delete ours-first', 'delete shell', 'delete ip-batch', 'delete floor'],
    ...['create ours ÷ shell', 'create ours ÷ ip-batch', 'create ours ÷ floor', 'create ours-first ÷ floor'],
    ...['delete ours ÷ shell', 'delete ours ÷ ip-batch', 'delete ours ÷ floor', 'delete ours-first ÷ floor'],
  ])
  expect(results.every(({ n, samples }) => n === 3 && samples.length === 1 && samples[0]! > 0)).toBe(true)
})
