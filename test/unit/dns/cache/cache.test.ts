import { describe, expect, test } from 'vitest'
import { Cache, wantsPrefetch } from '../../../../src/dns/cache/cache.ts'
import { failureAnswer, ownAnswer } from '../../../../src/dns/wire/local-answer.ts'
import { nameBytes } from '../../../../src/dns/wire/name.ts'
import { keyOf, questionOf } from '../../../../src/dns/wire/question.ts'

const key = (name: string) => keyOf(nameBytes(name)!, 1)
const records = [{ type: 1, data: Uint8Array.of(192, 0, 2, 1) }]
const answerFor = (name: string) => ownAnswer(questionOf(key(name)), { rcode: 0, records, ttl: 300 })
const limits = { entries: 100, bytes: 1_000_000, staleSeconds: 1000 }

function cacheOf(name: string, seconds = 100, options = limits): Cache {
  const cache = new Cache(options)
  cache.keep(key(name), { answer: answerFor(name), seconds, now: 0 })
  return cache
}

describe('the DNS cache', () => {
  test('finds a stored answer, and counts the hit', () => {
    const cache = cacheOf('a')
    expect(cache.find(key('a'))).toMatchObject({ storedAt: 0, expiresAt: 100_000 })
    expect(cache.find(key('b'))).toBeUndefined()
    expect(cache.entries).toBe(1)
    expect(cache.bytes).toBeGreaterThan(answerFor('a').wire.length)
  })

  test('does not store an answer with 0 seconds, and replaces an earlier one', () => {
    const cache = cacheOf('a')
    cache.keep(key('a'), { answer: answerFor('a'), seconds: 0, now: 0 })
    expect(cache.entries).toBe(0)
    expect(cache.bytes).toBe(0)
  })

  test('serves stale answers for the configured time, but never errors', () => {
    const cache = cacheOf('a')
    expect(cache.stale(key('a'), 1_099_999)).toBeDefined()
    expect(cache.stale(key('a'), 1_100_000)).toBeUndefined()
    expect(cache.entries).toBe(0)
    cache.keep(key('b'), { answer: failureAnswer(questionOf(key('b')), 2, -1), seconds: 5, now: 0 })
    expect(cache.stale(key('b'), 6000)).toBeUndefined()
    expect(cacheOf('a', 100, { ...limits, staleSeconds: 0 }).stale(key('a'), 100_000)).toBeUndefined()
  })

  test('removes entries by key', () => {
    const cache = cacheOf('a')
    cache.forget(each => each === key('b'))
    expect(cache.entries).toBe(1)
    cache.forget(each => each === key('a'))
    expect(cache.entries).toBe(0)
  })

  test('stays within its limits, whatever is stored', () => {
    const cache = new Cache({ entries: 1000, bytes: 100_000, staleSeconds: 0 })
    for (let i = 0; i < 5000; i++)
      cache.keep(key(`n${i}`), { answer: answerFor(`n${i}`), seconds: 100, now: i })
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
    expect(cache.entries).toBeGreaterThan(100)
    expect(cache.evictions).toBe(5000 - cache.entries)
  })
})

test('a popular answer is fetched again once, in the last tenth of its time', () => {
  const entry = cacheOf('a').find(key('a'))!
  expect([1, 2, 3, 4].map(() => wantsPrefetch(entry, 89_999))).toEqual([false, false, false, false])
  expect([1, 2].map(() => wantsPrefetch(entry, 90_000))).toEqual([true, false])
  const rare = cacheOf('b').find(key('b'))!
  expect([1, 2, 3].map(() => wantsPrefetch(rare, 95_000))).toEqual([false, false, true])
})
