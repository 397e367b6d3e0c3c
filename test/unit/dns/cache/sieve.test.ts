import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Sieve, type SieveNode } from '../../../../src/dns/cache/sieve.ts'

const node = (key: string, bytes = 1): SieveNode => ({
  key,
  bytes,
  visited: false,
  newer: undefined,
  older: undefined,
})

const filled = (entries: number, ...keys: string[]) => {
  const sieve = new Sieve({ entries, bytes: 1000 })
  for (const key of keys) sieve.put(node(key))
  return sieve
}
const keys = (sieve: Sieve<SieveNode>) => Array.from(sieve.values(), ({ key }) => key)
const use = (sieve: Sieve<SieveNode>, key: string) => {
  sieve.get(key)!.visited = true
}

describe('the eviction of a Sieve', () => {
  test('removes the oldest node without a hit', () => {
    const sieve = filled(3, 'a', 'b', 'c')
    use(sieve, 'a')
    sieve.put(node('d'))
    expect(keys(sieve)).toEqual(['a', 'c', 'd'])
    expect(sieve.evictions).toBe(1)
  })

  test('spares each node with a hit once, and then takes the next', () => {
    const sieve = filled(3, 'a', 'b', 'c')
    for (const key of ['a', 'b', 'c']) use(sieve, key)
    sieve.put(node('d'))
    expect(keys(sieve)).toEqual(['b', 'c', 'd'])
    // The hand has moved on: b is next, and its bit is clear.
    sieve.put(node('e'))
    expect(keys(sieve)).toEqual(['c', 'd', 'e'])
  })

  test('makes as much room as the new node needs', () => {
    const sieve = new Sieve({ entries: 100, bytes: 10 })
    for (const key of ['a', 'b', 'c']) sieve.put(node(key, 3))
    sieve.put(node('d', 6))
    expect([keys(sieve), sieve.bytes]).toEqual([['c', 'd'], 9])
    sieve.put(node('e', 11))
    expect(keys(sieve)).toEqual(['c', 'd'])
  })

  test('keeps nodes with hits, however many nodes without hits come', () => {
    const sieve = filled(50, 'hot')
    for (let i = 0; i < 10_000; i++) {
      if (i % 20 === 0) use(sieve, 'hot')
      sieve.put(node(`cold${i}`))
    }
    expect(sieve.get('hot')).toBeDefined()
    expect(sieve.size).toBe(50)
  })
})

test('a Sieve keeps counts right, limits held and the queue intact through any operations', () => {
  const key = fc.constantFrom(...'abcdefghij')
  const step = fc.oneof(
    fc.record({ put: key, bytes: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ use: key }),
    fc.record({ remove: key }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const sieve = new Sieve({ entries: 5, bytes: 20 })
      for (const each of steps) {
        if ('put' in each) sieve.put(node(each.put, each.bytes))
        else if ('use' in each && sieve.get(each.use)) use(sieve, each.use)
        else if ('remove' in each && sieve.get(each.remove)) sieve.remove(sieve.get(each.remove)!)
        const kept = [...sieve.values()]
        expect(sieve.size).toBe(kept.length)
        expect(kept.length).toBeLessThanOrEqual(5)
        expect(sieve.bytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes, 0))
        expect(sieve.bytes).toBeLessThanOrEqual(20)
        // From the newest to the oldest and back: all nodes, in order of arrival.
        const newest = kept.filter(({ newer }) => !newer)
        expect(newest).toHaveLength(Math.min(kept.length, 1))
        const chain: SieveNode[] = []
        for (let at = newest[0]; at; at = at.older) chain.unshift(at)
        expect(chain).toEqual(kept)
      }
    }),
  )
})
