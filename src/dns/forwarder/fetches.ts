import type { Clock } from '../../base/index.ts'
import type { Cache } from '../cache/cache.ts'
import { DnsError } from '../errors.ts'
import type { Counters } from '../types.ts'
import type { Cancellable } from '../upstream/cancellation.ts'
import type { Delays } from '../upstream/delays.ts'
import { extendedOf } from '../upstream/failure.ts'
import type { AnswerReceiver } from '../upstream/hedge.ts'
import { namesPrivateAddress } from '../upstream/rebind.ts'
import { type Answer, answerOf, lifeOf } from '../wire/answer.ts'
import { Extended, isFailure, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import type { Message } from '../wire/message.ts'
import { type Question, questionOf } from '../wire/question.ts'
import { Fetch, type FetchClient, type FetchOwner } from './fetch.ts'
import { ZoneLoad, zoneOf } from './zone-load.ts'

export interface FetchOptions {
  /** For what is kept. */
  readonly clock: Clock
  readonly delays: Delays
  readonly cache: Cache
  readonly counters: Counters
  readonly ttlMax: number
  readonly maxUnderWay: number
  /** The longest time that a client waits, in milliseconds, and so a query has a place. */
  readonly answerWithinMs: number
  /** A query without an answer after this time is slow, in milliseconds. */
  readonly slowMs: number
  /** True for questions to which the answer must not name a private address. */
  readonly guards: (key: string) => boolean
  /** Queries the upstreams. */
  readonly ask: (question: Question, receiver: AnswerReceiver) => Cancellable
  /** True for names that this forwarder answers itself: their answers from upstreams are not cached. */
  readonly owns: (key: string) => boolean
}

/** Seconds for which an upstream's failure is cached (RFC 2308 §7, RFC 9520 §3.2). */
const upstreamFailureSeconds = 5
/** Seconds for which silence is cached: at first, and at most. It doubles while it lasts (RFC 9520 §3.2). */
const silence = { first: 1, most: 30, forgottenAfter: 60 } as const
/** The part of all places that slow queries of one domain may have, and the number of late ones. */
const [zoneShare, lateShare] = [1 / 8, 1 / 4]

/** Pending queries to upstreams. Equal ones are sent once. Their answer is cached, however late it comes. */
export class Fetches implements FetchOwner {
  readonly delays: Delays
  readonly slowMs: number
  readonly answerWithinMs: number
  readonly #options: FetchOptions
  readonly #underWay = new Map<string, Fetch>()
  /** Queries whose clients have been told a failure: they have no place, but their answer is still welcome. */
  readonly #late = new Set<Fetch>()
  readonly #zones: ZoneLoad

  constructor(options: FetchOptions) {
    this.#options = options
    this.delays = options.delays
    this.slowMs = options.slowMs
    this.answerWithinMs = options.answerWithinMs
    this.#zones = new ZoneLoad(Math.ceil(options.maxUnderWay * zoneShare))
  }

  get size(): number {
    return this.#underWay.size
  }

  /** Of the own names. */
  get edition(): number {
    return this.#options.cache.edition
  }

  /** The client gets an answer, or a failure, before its time is over. */
  get(key: string, client?: FetchClient): void {
    const same = this.#underWay.get(key)
    if (same !== undefined) {
      this.#options.counters.merged++
      if (client) same.add(client)
      return
    }
    const refusal = this.#refusal(key)
    if (refusal === undefined) this.#underWay.set(key, new Fetch(questionOf(key), client, this))
    else client?.fetched(failureAnswer(questionOf(key), Rcode.SERVFAIL, refusal))
  }

  /** The extended error for a query that gets no place. */
  #refusal(key: string): number | undefined {
    if (this.#zones.size > 0 && this.#zones.isFull(zoneOf(key.slice(0, -5))))
      return Extended.noReachableAuthority
    const isFull = this.#underWay.size >= this.#options.maxUnderWay
    return isFull && !this.#zones.endOne() ? Extended.notReady : undefined
  }

  /** Fetches a cached answer again before it expires. */
  prefetch(key: string): void {
    if (this.#underWay.size >= this.#options.maxUnderWay / 2) return
    this.#options.counters.prefetches++
    this.get(key)
  }

  ask(question: Question, receiver: AnswerReceiver): Cancellable {
    return this.#options.ask(question, receiver)
  }

  answered(fetch: Fetch, message: Message): void {
    this.#late.delete(fetch)
    fetch.settle(this.#keptOrFailed(fetch, message))
  }

  failed(fetch: Fetch, thrown: unknown): void {
    // What is late was reported as a failure before.
    if (!this.#late.delete(fetch) && !fetch.isOver) fetch.settle(this.#keepFailure(fetch, thrown))
  }

  slow(fetch: Fetch): void {
    this.#zones.add(fetch.zone, fetch)
  }

  /** Its clients have waited long enough. Its place is free, and the next query for the name fails at once. */
  silent(fetch: Fetch): Answer {
    this.#late.add(fetch)
    const [oldest] = this.#late
    if (oldest && this.#late.size > this.#options.maxUnderWay * lateShare) {
      this.#late.delete(oldest)
      oldest.cancel()
    }
    const answer = failureAnswer(fetch.question, Rcode.SERVFAIL, Extended.noReachableAuthority)
    this.#putSilence(fetch, answer)
    return answer
  }

  over(fetch: Fetch): void {
    this.#underWay.delete(fetch.question.key)
    if (fetch.isSlow) this.#zones.remove(fetch.zone, fetch)
  }

  #keptOrFailed(fetch: Fetch, message: Message): Answer {
    try {
      return this.#keep(fetch, message)
    } catch (thrown) {
      return this.#keepFailure(fetch, thrown)
    }
  }

  #keep(fetch: Fetch, message: Message): Answer {
    const { guards, ttlMax } = this.#options
    const { question } = fetch
    if (guards(question.key) && namesPrivateAddress(message)) {
      return failureAnswer(question, Rcode.REFUSED, Extended.blocked)
    }
    const answer = answerOf(message, ttlMax)
    const life = lifeOf(message, answer)
    if (isFailure(answer.rcode)) this.#putFailure(fetch, answer, upstreamFailureSeconds)
    else this.#put(fetch, answer, life.seconds)
    return answer
  }

  #keepFailure(fetch: Fetch, thrown: unknown): Answer {
    // An error that is not a DnsError is a bug here. The client is answered in any case.
    const extended = thrown instanceof DnsError ? extendedOf(thrown) : Extended.other
    const answer = failureAnswer(fetch.question, Rcode.SERVFAIL, extended)
    if (thrown instanceof DnsError && thrown.code !== 'NO_UPSTREAM') this.#putSilence(fetch, answer)
    return answer
  }

  /** What was looked up before it was asked for is an own name only if the own names have changed since. */
  #put({ question, edition }: Fetch, answer: Answer, seconds: number): void {
    const { cache, clock, owns } = this.#options
    if (edition !== cache.edition && owns(question.key)) return
    cache.keep(question.keyBytes, { answer, seconds, now: clock.now() })
  }

  #putSilence(fetch: Fetch, answer: Answer): void {
    const { cache, clock } = this.#options
    const last = cache.lastSilence(fetch.question.keyBytes, clock.now() - silence.forgottenAfter * 1000)
    this.#putFailure(fetch, answer, Math.min(last ? last * 2 : silence.first, silence.most))
  }

  /** Caches a failure, unless a stale answer that can be served is in its place. */
  #putFailure(fetch: Fetch, answer: Answer, seconds: number): void {
    const { cache, clock } = this.#options
    const now = clock.now()
    const stale = cache.stale(fetch.question.keyBytes, now)
    if (stale >= 0) cache.recheckLater(stale, now)
    else this.#put(fetch, answer, seconds)
  }
}
