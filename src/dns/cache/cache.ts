import type { Answer } from '../wire/answer.ts'
import { headerBytes, isFailure, Rcode } from '../wire/constants.ts'
import { keyFlag } from '../wire/query.ts'
import { Blocks } from './blocks.ts'
import { KeyIndex } from './key-index.ts'
import { Scratch } from './scratch.ts'
import { Sieve } from './sieve.ts'
import { Slots } from './slots.ts'

export interface CacheLimits {
  readonly entries: number
  /** All memory of the entries, their part of all tables included. */
  readonly bytes: number
  /** How long an answer is kept after its TTL, for when no upstream answers. RFC 8767 §5 suggests a day. */
  readonly staleSeconds: number
  /** Called when an entry is evicted for the first time because of the limit of bytes. */
  readonly onBytesFull?: () => void
}

/** What an entry costs besides its blocks: its fields, its place in the queue, and two to four in the index. */
const fixedCost = 80
/** Stale answers are not fetched again sooner than this (RFC 8767 §5: "failure recheck timer"). */
const recheckMs = 30_000
/** An answer with so many hits since it was fetched is popular. In the field for hits, the last value says more. */
const [popular, mostHits, prefetching] = [3, 254, 255]

/**
 * Answers by question: name, type, class and flags as {@link Query.key} has them. An entry is a number, a
 * slot, which is valid until the next entry is kept.
 */
export class Cache {
  readonly slots: Slots
  entries = 0
  evictions = 0
  /** Until then some stale answer is served at once. */
  recheckUntil = 0
  /** The edition of the local names: they have none of the names that are kept from now on. */
  edition = 0
  readonly #limits: CacheLimits
  readonly #blocks = new Blocks(headerBytes)
  readonly #scratch = new Scratch()
  readonly #index: KeyIndex
  readonly #sieve: Sieve
  /** The number of names that are known not to exist. */
  #denied = 0
  #wasFull = false

  constructor(limits: CacheLimits) {
    const count = Math.max(limits.entries, 1)
    this.#limits = limits
    this.slots = new Slots(count)
    this.#sieve = new Sieve(count)
    this.#index = new KeyIndex(count, (slot, key, length) => this.#hasKey(slot, key, length))
  }

  /** Memory of all entries. */
  get bytes(): number {
    return this.#blocks.bytes + this.entries * fixedCost
  }

  /** The slot of a key, fresh or not; -1 when there is none. A name that does not exist has none of its types. */
  find(key: Uint8Array, length: number, now: number): number {
    let slot = this.#findExactly(key, length)
    if (this.#denied > 0 && (slot < 0 || now >= this.slots.expiresAt[slot]!)) {
      const denied = this.#findDenied(key, length)
      if (slot < 0 || (denied >= 0 && now < this.slots.expiresAt[denied]!)) slot = denied
    }
    if (slot >= 0) this.#sieve.hit(slot)
    return slot
  }

  /** The answer in a slot. It is valid until the next call. */
  answer(slot: number): Answer {
    return this.#scratch.load(this.#blocks, this.slots, slot)
  }

  /** The answer in a slot, to keep. */
  copy(slot: number): Answer {
    return this.#scratch.load(this.#blocks, this.slots, slot).copy()
  }

  /** Stores an answer in place of the key's earlier one. An answer with 0 seconds is not stored. */
  keep(key: Buffer, { answer, seconds, now }: { answer: Answer; seconds: number; now: number }): void {
    this.#removeIf(this.#findExactly(key, key.length))
    const denied = this.#findDenied(key, key.length)
    const kept = deniesName(answer) ? withoutType(key) : key
    if (!isFailure(answer.rcode)) this.#removeIf(denied)
    if (seconds > 0) this.#put(kept, { answer, seconds, now })
  }

  remove(slot: number): void {
    const { slots } = this
    this.#index.remove(slot)
    this.#sieve.remove(slot)
    this.#blocks.release(slots.first[slot]!)
    this.#denied -= slots.denied[slot]!
    slots.giveBack(slot)
    this.entries--
  }

  /**
   * The slot of an entry that may be served although its TTL is over, or -1. An entry that was stored for
   * other flags serves as well, where that is right: what was validated for clients that check by themselves;
   * and for those without DNSSEC what has no records of it, or the other way round when the client leaves
   * validation to others (RFC 4035 §3.2).
   */
  stale(key: Buffer, now: number): number {
    const own = this.#staleExactly(key, now)
    if (own >= 0) return own
    const flags = key.at(-1)!
    const other = Buffer.from(key)
    for (const each of substitutes(flags)) {
      other[other.length - 1] = each
      const slot = this.#staleExactly(other, now)
      if (slot < 0) continue
      const tooMuch = (each & keyFlag.DO) > (flags & keyFlag.DO)
      if (!tooMuch || !this.#scratch.load(this.#blocks, this.slots, slot).hasDnssec) return slot
    }
    return -1
  }

  /** For how many seconds a silence was kept that was still known at some time; 0 when there is none. */
  lastSilence(key: Buffer, since: number): number {
    const slot = this.#findExactly(key, key.length)
    if (slot < 0 || !this.isError(slot)) return 0
    const { received, expiresAt, storedAt } = this.slots
    if (received[slot] === 1 || expiresAt[slot]! <= since) return 0
    return (expiresAt[slot]! - storedAt[slot]!) / 1000
  }

  /** Records that the upstreams failed: for a while the stale entry is served at once. */
  recheckLater(slot: number, now: number): void {
    const until = Math.min(now + recheckMs, this.#staleEnd(slot))
    this.slots.staleUntil[slot] = until
    this.recheckUntil = Math.max(this.recheckUntil, until)
  }

  /** True for a cached SERVFAIL, which is not worth serving stale. */
  isError(slot: number): boolean {
    const rcode = this.slots.rcode[slot]
    return rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN
  }

  /** Counts a hit. Returns true when this is the moment to fetch a popular answer again. */
  wantsPrefetch(slot: number, now: number): boolean {
    const { hits, storedAt, expiresAt } = this.slots
    const count = hits[slot]!
    if (count < mostHits) hits[slot] = count + 1
    if (count + 1 < popular || count === prefetching) return false
    // In the last tenth of its time, as unbound does it.
    const since = storedAt[slot]! * 0.1 + expiresAt[slot]! * 0.9
    if (now < since || this.isError(slot)) return false
    hits[slot] = prefetching
    return true
  }

  #put(key: Buffer, { answer, seconds, now }: { answer: Answer; seconds: number; now: number }): void {
    const cost = Blocks.cost(answer.length + 2 * answer.records) + fixedCost
    if (!this.#makeRoom(cost)) return
    const { slots } = this
    const slot = slots.take()
    slots.first[slot] = this.#scratch.store(this.#blocks, answer, key)
    slots.length[slot] = answer.length
    slots.questionEnd[slot] = answer.questionEnd
    slots.additionalAt[slot] = answer.additionalAt
    slots.records[slot] = answer.records
    slots.rcode[slot] = answer.rcode
    slots.extended[slot] = answer.extended
    slots.received[slot] = answer.received ? 1 : 0
    slots.denied[slot] = deniesName(answer) ? 1 : 0
    slots.flags[slot] = key.at(-1)!
    slots.storedAt[slot] = now
    slots.expiresAt[slot] = now + seconds * 1000
    slots.staleUntil[slot] = 0
    slots.hits[slot] = 0
    slots.edition[slot] = this.edition
    this.#index.add(slot, this.#index.hash(key, key.length))
    this.#sieve.add(slot)
    this.#denied += slots.denied[slot]!
    this.entries++
  }

  /** False for an entry larger than the cache. */
  #makeRoom(cost: number): boolean {
    const { entries, bytes, onBytesFull } = this.#limits
    if (cost > bytes || entries < 1) return false
    while (this.entries >= entries || this.bytes + cost > bytes) {
      if (this.entries < entries && !this.#wasFull) {
        this.#wasFull = true
        onBytesFull?.()
      }
      this.remove(this.#sieve.victim())
      this.evictions++
    }
    return true
  }

  #removeIf(slot: number): void {
    if (slot >= 0) this.remove(slot)
  }

  #findExactly(key: Uint8Array, length: number): number {
    return this.#index.find(this.#index.hash(key, length), key, length)
  }

  /** The entry that says that the name does not exist: it is stored for type 0. The key is as before afterwards. */
  #findDenied(key: Uint8Array, length: number): number {
    if (this.#denied === 0) return -1
    const [high, low] = [key[length - 5]!, key[length - 4]!]
    key[length - 5] = 0
    key[length - 4] = 0
    const slot = this.#findExactly(key, length)
    key[length - 5] = high
    key[length - 4] = low
    return slot
  }

  #hasKey(slot: number, key: Uint8Array, length: number): boolean {
    const { questionEnd, flags, first } = this.slots
    if (questionEnd[slot] !== headerBytes + length - 1 || flags[slot] !== key[length - 1]) return false
    return this.#blocks.matches(first[slot]!, key, length - 1)
  }

  /** Of the name's denial and the answer, the later one. */
  #staleExactly(key: Buffer, now: number): number {
    const { storedAt } = this.slots
    const denied = this.#findDenied(key, key.length)
    const exact = this.#findExactly(key, key.length)
    const found = [exact, denied].filter(
      slot => slot >= 0 && !this.isError(slot) && now < this.#staleEnd(slot),
    )
    const [first = -1, second = -1] = found
    return second >= 0 && storedAt[second]! > storedAt[first]! ? second : first
  }

  #staleEnd(slot: number): number {
    return this.slots.expiresAt[slot]! + this.#limits.staleSeconds * 1000
  }
}

/** True when a name does not exist at all. At the end of a chain of aliases it is another name that does not. */
function deniesName({ rcode, wire }: Answer): boolean {
  return rcode === Rcode.NXDOMAIN && wire[6] === 0 && wire[7] === 0
}

function withoutType(key: Buffer): Buffer {
  return Buffer.from(key).fill(0, key.length - 5, key.length - 3)
}

/** The flags of entries that may serve a client with these, the best first. RD stays as it is. */
function substitutes(flags: number): number[] {
  const { CD, DO } = keyFlag
  const checked = flags & ~CD
  if (!(flags & CD)) return [flags ^ DO]
  return flags & DO ? [checked] : [checked, checked | DO]
}
