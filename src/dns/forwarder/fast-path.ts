import type { Clock } from '../../base/index.ts'
import { type Cache, type Entry, isError, wantsPrefetch } from '../cache/cache.ts'
import type { Names } from '../names/names.ts'
import { type AnswerSource, type Asker, type BufferView, type Counters, drop, later } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import { AnswerWriter, type Manner } from '../wire/answer-writer.ts'
import { Extended, Rcode } from '../wire/constants.ts'
import { ignore, proceed, Query } from '../wire/query.ts'

export interface FastPathOptions {
  readonly clock: Clock
  readonly cache: Cache
  readonly counters: Counters
  readonly prefetch: (entry: Entry) => void
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
  names: Names
  /** The source of the last answer. */
  source: AnswerSource = 'rule'
  /** The key of the last query that returned {@link later}. */
  key = ''
  readonly #options: FastPathOptions
  readonly #manner: Manner = { transport: 'udp', age: 0, ttl: -1, extended: -1 }
  readonly #giving: { answer: Answer | undefined; manner: Manner } = {
    answer: undefined,
    manner: this.#manner,
  }

  constructor(names: Names, options: FastPathOptions) {
    this.names = names
    this.#options = options
  }

  /** Returns the length of the answer, `drop` or `later`. */
  answer(query: BufferView, asker: Asker, into: BufferView): number {
    const verdict = this.query.read(query)
    if (verdict !== proceed) return this.#reject(verdict, into)
    const key = this.query.key()
    const { cache, clock } = this.#options
    const manner = this.#manner
    manner.transport = asker.transport
    const entry = cache.find(key)
    if (entry === undefined) return this.#own(key, into)
    const now = clock.now()
    if (now >= entry.expiresAt) return this.#stale(entry, now, into)
    manner.age = Math.floor((now - entry.storedAt) / 1000)
    manner.ttl = -1
    manner.extended = isError(entry) ? Extended.cachedError : -1
    this.source = 'cache'
    const length = this.#write(entry.answer, into)
    if (length === later) this.key = key
    else {
      this.#options.counters.hits++
      if (wantsPrefetch(entry, now)) this.#options.prefetch(entry)
    }
    return length
  }

  /** Writes an answer to the last query. */
  give(
    answer: Answer,
    { transport, stale }: { transport: Asker['transport']; stale: boolean },
    into: BufferView,
  ) {
    const manner = this.#manner
    manner.transport = transport
    manner.age = 0
    manner.ttl = stale ? staleTtl : -1
    manner.extended = stale ? staleExtended(answer) : answer.extended
    return this.#write(answer, into)
  }

  #write(answer: Answer, into: BufferView): number {
    const giving = this.#giving
    giving.answer = answer
    return this.writer.write(this.query, giving as { answer: Answer; manner: Manner }, into)
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

  #own(key: string, into: BufferView): number {
    this.key = key
    const answer = this.names.find(key)
    if (answer === undefined) return later
    this.source = 'own'
    const length = this.give(answer, { transport: this.#manner.transport, stale: false }, into)
    if (length !== later) this.#options.counters.own++
    return length
  }

  /**
   * Serves a stale answer at once when the upstreams failed a moment ago, so that the client does not wait in
   * vain (RFC 8767 §5).
   */
  #stale(entry: Entry, now: number, into: BufferView): number {
    this.key = entry.key
    if (now >= entry.staleUntil) return later
    this.source = 'stale'
    const length = this.give(entry.answer, { transport: this.#manner.transport, stale: true }, into)
    if (length !== later) this.#options.counters.stale++
    return length
  }
}

function staleExtended({ rcode }: Answer): number {
  return rcode === Rcode.NXDOMAIN ? Extended.staleNxdomain : Extended.staleAnswer
}
