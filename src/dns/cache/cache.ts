import type { Answer } from '../wire/answer.ts'
import { Sieve, type SieveNode } from './sieve.ts'

export interface CacheLimits {
  readonly entries: number
  readonly bytes: number
  /** How long an answer past its time is kept for when no upstream answers: a day (RFC 8767 §5). */
  readonly staleSeconds: number
}

/** An answer that is kept. Times are the clock's, in milliseconds. */
export interface Entry extends SieveNode {
  readonly answer: Answer
  readonly storedAt: number
  readonly expiresAt: number
  /** From then on it is asked for again while it still holds, if it is popular. */
  readonly prefetchAt: number
  /** Until when it is given though stale, because upstreams were asked in vain not long ago (RFC 8767 §5). */
  staleUntil: number
  hits: number
  prefetching: boolean
}

/** Bytes of an entry besides wire and key, about: objects, Map slot, ArrayBuffer (measured with 10,000). */
const overhead = 400
/** Stale answers are asked for again not sooner than this (RFC 8767 §5: "failure recheck timer"). */
const recheckMs = 30_000
/** Popular: asked for as often as this since it was fetched. */
const popular = 3

/** Answers by question. What is in it is never changed, but replaced. */
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

  /** What is kept for a key, fresh or not. */
  find(key: string): Entry | undefined {
    const entry = this.#sieve.get(key)
    if (entry !== undefined) entry.visited = true
    return entry
  }

  /** Replaces what was kept for the key; what lives 0 seconds is not kept. */
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
      // The last tenth, as unbound does it.
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

  /** Something that may be given though its time is over. */
  stale(key: string, now: number): Entry | undefined {
    const entry = this.#sieve.get(key)
    if (entry === undefined) return undefined
    if (now < entry.expiresAt + this.#staleMs && !isError(entry)) return entry
    if (now >= entry.expiresAt) this.#sieve.remove(entry)
    return undefined
  }

  /** Upstreams were asked in vain: for a while what there is will be given at once. */
  recheckLater(entry: Entry, now: number): void {
    entry.staleUntil = Math.min(now + recheckMs, entry.expiresAt + this.#staleMs)
  }

  /** Forgets what is kept under keys that `matches`. */
  forget(matches: (key: string) => boolean): void {
    for (const entry of [...this.#sieve.values()]) if (matches(entry.key)) this.#sieve.remove(entry)
  }
}

/** A SERVFAIL that was kept is no better late than none. */
export function isError({ answer }: Entry): boolean {
  return answer.rcode !== 0 && answer.rcode !== 3
}

/** Counts one more use, and says whether this is the moment to ask for a popular answer anew. */
export function wantsPrefetch(entry: Entry, now: number): boolean {
  if (++entry.hits < popular || now < entry.prefetchAt || entry.prefetching || isError(entry)) return false
  entry.prefetching = true
  return true
}
