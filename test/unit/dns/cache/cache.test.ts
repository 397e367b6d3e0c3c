import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cache } from '../../../../src/dns/cache/cache.ts'
import type { Answer } from '../../../../src/dns/wire/answer.ts'
import { failureAnswer, ownAnswer } from '../../../../src/dns/wire/local-answer.ts'
import { nameBytes } from '../../../../src/dns/wire/name.ts'
import { keyOf, questionOf } from '../../../../src/dns/wire/question.ts'

const [A, AAAA, NXDOMAIN] = [1, 28, 3]
const key = (name: string, type = A, flags = 1) => questionOf(keyOf(nameBytes(name)!, type, flags)).keyBytes
const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ type: A, data: Uint8Array.of(192, 0, 2, i) }))
const answerFor = (name: string, count = 1) =>
  ownAnswer(questionOf(keyOf(nameBytes(name)!, A)), { rcode: 0, records: records(count), ttl: 300 })
const denialOf = (name: string) =>
  ownAnswer(questionOf(keyOf(nameBytes(name)!, A)), { rcode: NXDOMAIN, records: [], ttl: 300 })
const limits = { entries: 100, bytes: 1_000_000, staleSeconds: 1000 }

const find = (cache: Cache, wanted: Buffer, now = 0) => cache.find(wanted, wanted.length, now)
const keepFor = (
  cache: Cache,
  wanted: Buffer,
  answer: Answer | { answer: Answer; seconds?: number; now?: number },
) => cache.keep(wanted, { seconds: 100, now: 0, ...('answer' in answer ? answer : { answer }) })

function cacheOf(name: string, options = limits): Cache {
  const cache = new Cache(options)
  keepFor(cache, key(name), answerFor(name))
  return cache
}

describe('the DNS cache', () => {
  test('gives back a stored answer, byte for byte', () => {
    const cache = cacheOf('a')
    const slot = find(cache, key('a'))
    const { wire, ttls, ...others } = cache.copy(slot)
    expect({ wire, ttls, ...others }).toEqual(answerFor('a'))
    expect(cache.slots.expiresAt[slot]).toBe(100_000)
    expect(find(cache, key('b'))).toBe(-1)
    expect(find(cache, key('a', AAAA))).toBe(-1)
    expect(find(cache, key('a', A, 5))).toBe(-1)
    expect(cache.entries).toBe(1)
    expect(cache.bytes).toBeGreaterThan(answerFor('a').length)
  })

  test('does not store an answer with 0 seconds, and removes an earlier one', () => {
    const cache = cacheOf('a')
    keepFor(cache, key('a'), { answer: answerFor('a'), seconds: 0 })
    expect([cache.entries, cache.bytes]).toEqual([0, 0])
  })

  test('serves stale answers for the configured time, but never errors', () => {
    const cache = cacheOf('a')
    expect(cache.stale(key('a'), 1_099_999)).toBeGreaterThanOrEqual(0)
    expect(cache.stale(key('a'), 1_100_000)).toBe(-1)
    keepFor(cache, key('b'), {
      answer: failureAnswer(questionOf(key('b').toString('latin1')), 2, -1),
      seconds: 5,
    })
    expect(cache.stale(key('b'), 6000)).toBe(-1)
    expect(cacheOf('a', { ...limits, staleSeconds: 0 }).stale(key('a'), 100_000)).toBe(-1)
  })

  test('stays within its limits, whatever is stored, and tells once that bytes are the limit', () => {
    let told = 0
    const cache = new Cache({ entries: 1000, bytes: 100_000, staleSeconds: 0, onBytesFull: () => told++ })
    for (let i = 0; i < 5000; i++)
      keepFor(cache, key(`n${i}`), { answer: answerFor(`n${i}`, i % 7), seconds: 100, now: i })
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
    expect(cache.entries).toBeGreaterThan(100)
    expect(cache.evictions).toBe(5000 - cache.entries)
    expect(told).toBe(1)
  })

  test('holds as many answers as it was told, when there are bytes for them', () => {
    const cache = new Cache({ entries: 5000, bytes: 5_000_000, staleSeconds: 0 })
    for (let i = 0; i < 6000; i++) keepFor(cache, key(`n${i}`), answerFor(`n${i}`))
    expect(cache.entries).toBe(5000)
  })

  test('does not store an answer that is larger than itself, and loses no other for it', () => {
    const cache = cacheOf('a', { ...limits, bytes: 500 })
    keepFor(cache, key('b'), answerFor('b', 100))
    expect([find(cache, key('a')) >= 0, find(cache, key('b'))]).toEqual([true, -1])
  })
})

describe('a name that does not exist, in the DNS cache', () => {
  test('has none of its types, until one of them turns up', () => {
    const cache = new Cache(limits)
    keepFor(cache, key('a'), denialOf('a'))
    const slot = find(cache, key('a', AAAA))
    expect(slot).toBe(find(cache, key('a')))
    expect(cache.answer(slot).rcode).toBe(NXDOMAIN)
    expect(find(cache, key('b'))).toBe(-1)
    // Answers with DNSSEC records are others.
    expect(find(cache, key('a', AAAA, 5))).toBe(-1)
    keepFor(cache, key('a', AAAA), { answer: answerFor('a'), seconds: 0 })
    expect(find(cache, key('a'))).toBe(-1)
    expect(cache.entries).toBe(0)
  })

  test('takes the place of what it had, as soon as that is over', () => {
    const cache = cacheOf('a')
    keepFor(cache, key('a', AAAA), { answer: denialOf('a'), seconds: 100, now: 50_000 })
    const rcodeAt = (now: number) => cache.answer(find(cache, key('a'), now)).rcode
    expect([rcodeAt(99_999), rcodeAt(100_000)]).toEqual([0, NXDOMAIN])
    // Stale, the later of both counts.
    expect(cache.answer(cache.stale(key('a'), 500_000)).rcode).toBe(NXDOMAIN)
  })

  test('at the end of an alias is another one: the alias has other types', () => {
    const cache = new Cache(limits)
    const answer = { ...answerFor('a'), rcode: NXDOMAIN }
    keepFor(cache, key('a'), answer)
    expect(find(cache, key('a'))).toBeGreaterThanOrEqual(0)
    expect(find(cache, key('a', AAAA))).toBe(-1)
  })
})

/** Flags of keys: RD, CD, DO. */
const [RD, CD, DO] = [1, 2, 4]

test.each([
  ['plain data, for clients with DO', RD, RD | DO, true],
  ['plain data, for clients with CD', RD, RD | CD, true],
  ['plain data, not for clients that validate', RD, RD | CD | DO, false],
  ['data without signatures, for clients without DO', RD | DO, RD, true],
  ['data without signatures, for clients with CD alone', RD | DO, RD | CD, true],
  ['validated data, for clients that validate', RD | DO, RD | CD | DO, true],
  ['data that was not validated, not for others', RD | CD, RD, false],
  ['data that was asked for without recursion, not for others', 0, RD, false],
])('stale answers serve clients with other flags where that is right: %s', (...given) => {
  const [, stored, wanted, right] = given
  const cache = new Cache(limits)
  keepFor(cache, key('a', A, stored), answerFor('a'))
  expect(cache.stale(key('a', A, wanted), 200_000) >= 0).toBe(right)
})

test('stale answers with signatures are not given to clients that did not ask for them', () => {
  const cache = new Cache(limits)
  const signed = [...records(1), { type: 46, data: new Uint8Array(30) }]
  const question = questionOf(keyOf(nameBytes('a')!, A))
  keepFor(cache, key('a', A, RD | DO), ownAnswer(question, { rcode: 0, records: signed, ttl: 300 }))
  expect(cache.stale(key('a', A, RD), 200_000)).toBe(-1)
  expect(cache.stale(key('a', A, RD | DO), 200_000)).toBeGreaterThanOrEqual(0)
})

test('a popular answer is fetched again once, in the last tenth of its time', () => {
  const cache = cacheOf('a')
  const slot = find(cache, key('a'))
  expect([1, 2, 3, 4].map(() => cache.wantsPrefetch(slot, 89_999))).toEqual([false, false, false, false])
  expect([1, 2].map(() => cache.wantsPrefetch(slot, 90_000))).toEqual([true, false])
  const rare = cacheOf('b')
  expect([1, 2, 3].map(() => rare.wantsPrefetch(find(rare, key('b')), 95_000))).toEqual([false, false, true])
  for (let hits = 0; hits < 1000; hits++) rare.wantsPrefetch(find(rare, key('b')), 95_000)
  expect(rare.wantsPrefetch(find(rare, key('b')), 95_000)).toBe(false)
})

/** Names of several lengths. */
const nameWith = (i: number) => `${`n${'x'.repeat(i * 3)}`.slice(0, 60)}.${i}`

test('the DNS cache has what a Map would have, through any operations', () => {
  const name = fc.integer({ min: 0, max: 40 }).map(nameWith)
  const step = fc.oneof(
    fc.record({ keep: name, count: fc.integer({ min: 0, max: 60 }) }),
    fc.record({ remove: name }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), steps => {
      const cache = new Cache({ ...limits, entries: 1000, bytes: 10_000_000 })
      const map = new Map<string, number>()
      for (const each of steps) {
        if ('keep' in each) {
          keepFor(cache, key(each.keep), answerFor(each.keep, each.count))
          map.set(each.keep, each.count)
        } else if (map.delete(each.remove)) cache.remove(find(cache, key(each.remove)))
      }
      expect(cache.entries).toBe(map.size)
      for (let i = 0; i <= 40; i++) {
        const each = nameWith(i)
        const count = map.get(each)
        const slot = find(cache, key(each))
        expect(slot < 0 ? undefined : cache.copy(slot)).toEqual(
          count === undefined ? undefined : answerFor(each, count),
        )
      }
      for (const each of map.keys()) cache.remove(find(cache, key(each)))
      expect(cache.bytes).toBe(0)
    }),
    { numRuns: 50 },
  )
})
