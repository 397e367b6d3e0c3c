import type { Answer } from '../wire/answer.ts'
import { Sieve, type SieveNode } from './sieve.ts'

export interface CacheLimits {
  readonly entries: number
  readonly bytes: number
  /** How long an answer is kept after its TTL, for when no upstream answers. RFC 8767 §5 suggests a day. */
  readonly staleSeconds: number
}

/** A cached answer. Times are the clock's, in milliseconds. */
export interface Entry extends SieveNode {
  readonly answer: Answer
  readonly storedAt: number
  readonly expiresAt: number
  /** From then on a popular answer is fetched again while it is still valid. */
  readonly prefetchAt: number
  /** Until then a stale answer is served at once, because the upstreams failed not long ago (RFC 8767 §5). */
  staleUntil: number
  hits: number
  prefetching: boolean
}

/**
 * The approximate size of an entry besides wire and key, in bytes: objects, Map slot, ArrayBuffer (measured
 * with 10,000).
 */
const overhead = 400
/** Stale answers are not fetched again sooner than this (RFC 8767 §5: "failure recheck timer"). */
const recheckMs = 30_000
/** An answer with so many hits since it was fetched is popular. */
const popular = 3

/** Answers by question. Entries are replaced, never changed. */
export class Cache {
  readonly #sieve: Sieve<Entry>
  readonly #staleMs: number

  constructor({ entries, bytes, staleSeconds }: CacheLimits) {
    this.#sieve = new Sieve({ entries, bytes })
    this.#staleMs = staleSeconds * 1000
  }

  get entries(): number {
    return this.#sieve.size
  }
  get bytes(): number {
    return this.#sieve.bytes
  }
  get evictions(): number {
    return this.#sieve.evictions
  }

  /** The entry of a key, fresh or not. */
  find(key: string): Entry | undefined {
    const entry = this.#sieve.get(key)
    if (entry !== undefined) entry.visited = true
    return entry
  }

  /** Stores an answer in place of the key's earlier one. An answer with 0 seconds is not stored. */
  keep(key: string, { answer, seconds, now }: { answer: Answer; seconds: number; now: number }): void {
    if (seconds <= 0) {
      this.#remove(key)
      return
    }
    const ms = seconds * 1000
    this.#sieve.put({
      key,
      bytes: answer.wire.length + answer.ttls.length * 2 + key.length + overhead,
      visited: false,
      newer: undefined,
      older: undefined,
      answer,
      storedAt: now,
      expiresAt: now + ms,
      // In the last tenth of its time, as unbound does it.
      prefetchAt: now + ms * 0.9,
      staleUntil: 0,
      hits: 0,
      prefetching: false,
    })
  }

  #remove(key: string): void {
    const entry = this.#sieve.get(key)
    if (entry) this.#sieve.remove(entry)
  }

  /** An entry that may be served although its TTL is over. */
  stale(key: string, now: number): Entry | undefined {
    const entry = this.#sieve.get(key)
    if (entry === undefined) return undefined
    if (now < entry.expiresAt + this.#staleMs && !isError(entry)) return entry
    if (now >= entry.expiresAt) this.#sieve.remove(entry)
    return undefined
  }

  /** Records that the upstreams failed: for a while the stale entry is served at once. */
  recheckLater(entry: Entry, now: number): void {
    entry.staleUntil = Math.min(now + recheckMs, entry.expiresAt + this.#staleMs)
  }

  /** Removes the entries with keys that `matches` accepts. */
  forget(matches: (key: string) => boolean): void {
    for (const entry of [...this.#sieve.values()]) if (matches(entry.key)) this.#sieve.remove(entry)
  }
}

/** True for a cached SERVFAIL, which is not worth serving stale. */
export function isError({ answer }: Entry): boolean {
  return answer.rcode !== 0 && answer.rcode !== 3
}

/** Counts a hit. Returns true when this is the moment to fetch a popular answer again. */
export function wantsPrefetch(entry: Entry, now: number): boolean {
  if (++entry.hits < popular || now < entry.prefetchAt || entry.prefetching || isError(entry)) return false
  entry.prefetching = true
  return true
}
