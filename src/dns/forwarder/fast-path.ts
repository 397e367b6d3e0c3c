import type { Clock } from '../../base/index.ts'
import type { Cache } from '../cache/cache.ts'
import type { Names } from '../names/names.ts'
import type { Tailor } from '../tailor/tailor.ts'
import { type AnswerSource, type Asker, type BufferView, type Counters, drop, later } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import { AnswerWriter, type Manner } from '../wire/answer-writer.ts'
import { Extended, flag, isFailure, Rcode } from '../wire/constants.ts'
import { ignore, proceed, Query } from '../wire/query.ts'

export interface FastPathOptions {
  readonly clock: Clock
  readonly cache: Cache
  readonly counters: Counters
  readonly prefetch: (key: string) => void
  /** Answers some questions in its own way, which takes time. */
  readonly tailor: Pick<Tailor, 'active' | 'concerns'>
}

/** TTL of a stale answer, in seconds (RFC 8767 §5.2). */
const staleTtl = 30

/**
 * Everything that is answered without waiting: by rule, from the cache, from own names. It handles one query
 * at a time.
 */
export class FastPath {
  readonly query = new Query()
  readonly writer = new AnswerWriter()
  #names: Names
  /** The source of the last answer. */
  source: AnswerSource = 'rule'
  /** The key of the last query that returned {@link later}. */
  key = ''
  /** True when the last query that returned {@link later} is for the {@link Tailor}. */
  tailored = false
  /** True when the last query has an answer for which there was no room. */
  lacksRoom = false
  readonly #options: FastPathOptions
  readonly #manner: Manner = { transport: 'udp', age: 0, ttl: -1, extended: -1 }
  readonly #giving: { answer: Answer | undefined; manner: Manner } = {
    answer: undefined,
    manner: this.#manner,
  }

  constructor(names: Names, options: FastPathOptions) {
    this.#names = names
    this.#options = options
  }

  /** Returns the length of the answer, `drop` or `later`. */
  answer(query: BufferView, asker: Asker, into: BufferView): number {
    const verdict = this.query.read(query)
    this.lacksRoom = false
    if (verdict !== proceed) return this.#reject(verdict, into)
    const { cache, clock, tailor } = this.#options
    this.tailored = tailor.active && tailor.concerns(this.query.key(), asker)
    if (this.tailored) {
      this.key = this.query.key()
      return later
    }
    const manner = this.#manner
    manner.transport = asker.transport
    const now = clock.now()
    const slot = cache.find(this.query.keyBytes(), this.query.keyLength, now)
    if (slot < 0 || this.#isOwn(slot)) return this.#own(now, into)
    const { expiresAt, storedAt } = cache.slots
    if (now >= expiresAt[slot]!) return this.#stale(slot, now, into)
    const answer = cache.answer(slot)
    manner.age = Math.floor((now - storedAt[slot]!) / 1000)
    manner.ttl = -1
    manner.extended = cachedExtended(answer)
    this.source = 'cache'
    const length = this.#write(answer, into)
    if (length === later) this.key = this.query.key()
    else {
      this.#options.counters.hits++
      if (cache.wantsPrefetch(slot, now)) this.#options.prefetch(this.query.key())
    }
    return length
  }

  get names(): Names {
    return this.#names
  }

  /** Names that are local from now on are not answered from the cache any more. */
  set names(names: Names) {
    this.#names = names
    this.#options.cache.edition++
  }

  /** Writes an answer to the last query. */
  give(
    answer: Answer,
    { transport, stale, age = 0 }: { transport: Asker['transport']; stale: boolean; age?: number },
    into: BufferView,
  ) {
    const manner = this.#manner
    manner.transport = transport
    manner.age = age
    manner.ttl = stale ? staleTtl : -1
    manner.extended = stale ? staleExtended(answer) : answer.extended
    return this.#write(answer, into)
  }

  /** Writes the last query with TC and no records. */
  truncate(into: BufferView): number {
    const length = this.writer.fail(this.query, { rcode: Rcode.NOERROR, extended: -1 }, into)
    if (length > 0) into.bytes[into.at + 2]! |= flag.TC
    return length
  }

  #write(answer: Answer, into: BufferView): number {
    const giving = this.#giving
    giving.answer = answer
    const length = this.writer.write(this.query, giving as { answer: Answer; manner: Manner }, into)
    this.lacksRoom = length === later
    return length
  }

  #reject(verdict: number, into: BufferView): number {
    const { counters } = this.#options
    if (verdict === ignore) {
      counters.dropped++
      return drop
    }
    counters.rejected++
    this.source = 'rule'
    const extended = verdict === Rcode.NOTIMP || verdict === Rcode.REFUSED ? Extended.notSupported : -1
    return this.writer.fail(this.query, { rcode: verdict, extended }, into)
  }

  /** True when the name has become a local one since it was cached. */
  #isOwn(slot: number): boolean {
    const { cache } = this.#options
    if (cache.slots.edition[slot] === cache.edition) return false
    cache.slots.edition[slot] = cache.edition
    if (!this.#names.owns(this.query.key())) return false
    cache.remove(slot)
    return true
  }

  #own(now: number, into: BufferView): number {
    this.key = this.query.key()
    const answer = this.#names.find(this.key)
    if (answer === undefined) {
      this.tailored = this.#names.alias(this.key) !== undefined
      return this.tailored ? later : this.#staleOfOthers(now, into)
    }
    this.source = 'own'
    const length = this.give(answer, { transport: this.#manner.transport, stale: false }, into)
    if (length !== later) this.#options.counters.own++
    return length
  }

  /**
   * Serves a stale answer at once when the upstreams failed a moment ago, so that the client does not wait in
   * vain (RFC 8767 §5).
   */
  #stale(slot: number, now: number, into: BufferView): number {
    const { cache } = this.#options
    this.key = this.query.key()
    if (now >= cache.slots.staleUntil[slot]!) return later
    this.source = 'stale'
    const length = this.give(cache.answer(slot), { transport: this.#manner.transport, stale: true }, into)
    if (length !== later) this.#options.counters.stale++
    return length
  }

  /** The same for clients with other flags than those for which the answer was stored. */
  #staleOfOthers(now: number, into: BufferView): number {
    const { cache } = this.#options
    if (now >= cache.recheckUntil) return later
    const key = this.query.keyBytes().subarray(0, this.query.keyLength)
    const slot = cache.stale(key, now)
    return slot < 0 ? later : this.#stale(slot, now, into)
  }
}

/** An upstream's own explanation says more than that its failure was remembered. */
function cachedExtended({ extended, received, rcode }: Answer): number {
  if (received && extended >= 0) return extended
  return isFailure(rcode) ? Extended.cachedError : -1
}

function staleExtended({ rcode }: Answer): number {
  return rcode === Rcode.NXDOMAIN ? Extended.staleNxdomain : Extended.staleAnswer
}
