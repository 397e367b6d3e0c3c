import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Sieve } from '../../../../src/dns/cache/sieve.ts'

const filled = (...slots: number[]) => {
  const sieve = new Sieve(100)
  for (const slot of slots) sieve.add(slot)
  return sieve
}
const evict = (sieve: Sieve) => {
  const slot = sieve.victim()
  sieve.remove(slot)
  return slot
}

describe('the eviction of a Sieve', () => {
  test('removes the oldest slot without a hit', () => {
    const sieve = filled(1, 2, 3)
    sieve.hit(1)
    expect(evict(sieve)).toBe(2)
    expect([...sieve.slots()]).toEqual([1, 3])
  })

  test('spares each slot with a hit once, and then takes the next', () => {
    const sieve = filled(1, 2, 3)
    for (const slot of [1, 2, 3]) sieve.hit(slot)
    expect(evict(sieve)).toBe(1)
    sieve.add(4)
    // The hand has moved on: 2 is next, and its bit is clear.
    expect(evict(sieve)).toBe(2)
    expect([...sieve.slots()]).toEqual([3, 4])
  })

  test('keeps slots with hits, however many slots without hits come', () => {
    const sieve = filled(99)
    for (let i = 0; i < 10_000; i++) {
      if (i % 20 === 0) sieve.hit(99)
      sieve.add(i % 50)
      if (i >= 49) evict(sieve)
    }
    expect([...sieve.slots()]).toContain(99)
  })
})

test('a Sieve keeps its queue in order of arrival through any operations', () => {
  const slot = fc.integer({ min: 0, max: 9 })
  const step = fc.oneof(
    fc.record({ add: slot }),
    fc.record({ hit: slot }),
    fc.record({ remove: slot }),
    fc.constant('evict' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const sieve = new Sieve(10)
      let queue: number[] = []
      for (const each of steps) {
        let gone = -1
        if (each === 'evict') gone = queue.length > 0 ? evict(sieve) : -1
        else if ('hit' in each && queue.includes(each.hit)) sieve.hit(each.hit)
        else if ('add' in each && !queue.includes(each.add)) {
          sieve.add(each.add)
          queue.push(each.add)
        } else if ('remove' in each && queue.includes(each.remove)) {
          sieve.remove(each.remove)
          gone = each.remove
        }
        queue = queue.filter(other => other !== gone)
        expect([...sieve.slots()]).toEqual(queue)
      }
    }),
  )
})
