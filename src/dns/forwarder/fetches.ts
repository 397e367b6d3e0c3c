import type { Clock } from '../../base/index.ts'
import type { Cache, Entry } from '../cache/cache.ts'
import { DnsError } from '../errors.ts'
import type { Counters } from '../types.ts'
import { extendedOf } from '../upstream/failure.ts'
import { namesPrivateAddress } from '../upstream/rebind.ts'
import { type Answer, answerOf, lifeOf } from '../wire/answer.ts'
import { Extended, isFailure, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import type { Message } from '../wire/message.ts'
import { type Question, questionOf } from '../wire/question.ts'

export interface FetchOptions {
  readonly clock: Clock
  readonly cache: Cache
  readonly counters: Counters
  readonly ttlMax: number
  readonly maxUnderWay: number
  readonly rebindProtection: boolean
  /** Queries the upstreams; rejects with a DnsError. */
  readonly ask: (question: Question) => Promise<Message>
  /** True for names that this forwarder answers itself: their answers from upstreams are not cached. */
  readonly owns: (key: string) => boolean
}

/** Seconds for which a SERVFAIL, an upstream's or this forwarder's, is cached (RFC 2308 §7, RFC 9520 §3.2). */
const upstreamFailureSeconds = 5
const ownFailureSeconds = 1

/** Pending queries to upstreams. Equal ones are sent once. Their answer is cached, however late it comes. */
export class Fetches {
  readonly #options: FetchOptions
  readonly #underWay = new Map<string, Promise<Answer>>()

  constructor(options: FetchOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#underWay.size
  }

  /** Never rejects: a failure gives an answer too. */
  get(key: string): Promise<Answer> {
    const same = this.#underWay.get(key)
    if (same !== undefined) {
      this.#options.counters.merged++
      return same
    }
    if (this.#underWay.size >= this.#options.maxUnderWay) {
      return Promise.resolve(failureAnswer(questionOf(key), Rcode.SERVFAIL, Extended.notReady))
    }
    const fetch = this.#fetch(questionOf(key))
    this.#underWay.set(key, fetch)
    void fetch.finally(() => this.#underWay.delete(key))
    return fetch
  }

  /** Fetches a cached answer again before it expires. */
  prefetch(entry: Entry): void {
    if (this.#underWay.size >= this.#options.maxUnderWay / 2) return
    this.#options.counters.prefetches++
    void this.get(entry.key)
  }

  async #fetch(question: Question): Promise<Answer> {
    try {
      return this.#keep(question, await this.#options.ask(question))
    } catch (thrown) {
      return this.#keepFailure(question, thrown)
    }
  }

  #keep(question: Question, message: Message): Answer {
    const { rebindProtection, ttlMax } = this.#options
    if (rebindProtection && namesPrivateAddress(message)) {
      return failureAnswer(question, Rcode.REFUSED, Extended.blocked)
    }
    const answer = answerOf(message, ttlMax)
    const life = lifeOf(message, answer)
    if (!isFailure(answer.rcode)) this.#put(question, answer, life.seconds)
    else if (answer.rcode === Rcode.SERVFAIL) this.#putFailure(question, answer, upstreamFailureSeconds)
    return answer
  }

  #keepFailure(question: Question, thrown: unknown): Answer {
    // An error that is not a DnsError is a bug here. The client is answered in any case.
    const extended = thrown instanceof DnsError ? extendedOf(thrown) : Extended.other
    const answer = failureAnswer(question, Rcode.SERVFAIL, extended)
    if (thrown instanceof DnsError && thrown.code !== 'NO_UPSTREAM')
      this.#putFailure(question, answer, ownFailureSeconds)
    return answer
  }

  #put({ key }: Question, answer: Answer, seconds: number): void {
    const { cache, clock, owns } = this.#options
    if (!owns(key)) cache.keep(key, { answer, seconds, now: clock.now() })
  }

  /** Caches a failure, unless a stale answer that can be served is in its place. */
  #putFailure(question: Question, answer: Answer, seconds: number): void {
    const { cache, clock } = this.#options
    const now = clock.now()
    const stale = cache.stale(question.key, now)
    if (stale) cache.recheckLater(stale, now)
    else this.#put(question, answer, seconds)
  }
}
