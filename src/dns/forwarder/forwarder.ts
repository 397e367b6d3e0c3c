import type { Clock } from '../../base/index.ts'
import { Cache } from '../cache/cache.ts'
import { Hosts } from '../names/sources.ts'
import { tellAnswer, tellAtOnce, tellDrop, tellQuestion, trace } from '../observe/trace.ts'
import {
  type Answered,
  type AnswerSource,
  type Asker,
  type BufferView,
  type Counters,
  drop,
  later,
  type OwnHosts,
  type Resolver,
  type UpstreamStatus,
} from '../types.ts'
import { LoopWatch } from '../upstream/loop.ts'
import { Upstreams } from '../upstream/upstreams.ts'
import type { Answer } from '../wire/answer.ts'
import { Extended, isFailure, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import { questionOf } from '../wire/question.ts'
import { newCounters } from './counters.ts'
import { FastPath } from './fast-path.ts'
import { Fetches } from './fetches.ts'
import { type ResolvedOptions, type ResolverOptions, withDefaults } from './options.ts'

/**
 * Opens a forwarder. Problems with files and upstreams are reported to `notice`, and the forwarder starts. It
 * throws only for mistakes in the options (BAD_UPSTREAM, BAD_ZONE).
 */
export function openResolver(options: ResolverOptions = {}): Resolver {
  return new Forwarder(withDefaults(options))
}

class Forwarder implements Resolver {
  onAnswer: ((answered: Answered) => void) | undefined
  readonly #counters = newCounters()
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #cache: Cache
  readonly #hosts: Hosts
  readonly #loops: LoopWatch
  readonly #upstreams: Upstreams
  readonly #fetches: Fetches
  readonly #fastPath: FastPath
  /** Answers are written here before they are copied out. */
  readonly #room: BufferView = { bytes: Buffer.alloc(0xffff), at: 0, length: 0xffff }
  #waiting = 0
  #closed: Promise<void> | undefined

  constructor(options: ResolvedOptions) {
    const { clock, notice, cacheEntries, cacheBytes, staleSeconds } = options
    const counters = this.#counters
    this.#options = options
    this.#clock = clock
    this.#cache = new Cache({ entries: cacheEntries, bytes: cacheBytes, staleSeconds })
    this.#hosts = new Hosts(options.hostsFile, notice)
    this.#loops = new LoopWatch(notice)
    this.#upstreams = this.#openUpstreams()
    this.#fetches = new Fetches({
      clock,
      cache: this.#cache,
      counters,
      ttlMax: options.cacheTtlMax,
      maxUnderWay: options.maxUnderWay,
      rebindProtection: options.rebindProtection,
      ask: question => this.#upstreams.ask(question),
      owns: key => this.#fastPath.names.owns(key),
    })
    const prefetch = this.#fetches.prefetch.bind(this.#fetches)
    this.#fastPath = new FastPath(this.#hosts.names(), { clock, cache: this.#cache, counters, prefetch })
    this.#fastPath.writer.trustAd = this.#upstreams.trustAd
  }

  get counters(): Readonly<Counters> {
    return { ...this.#counters, evictions: this.#cache.evictions }
  }

  get cached(): { readonly entries: number; readonly bytes: number } {
    const { entries, bytes } = this.#cache
    return { entries, bytes }
  }

  answerNow(query: BufferView, asker: Asker, into: BufferView): number {
    const length = this.#fastPath.answer(query, asker, into)
    if (length === later) return later
    this.#counters.questions++
    if (trace.on) tellAtOnce({ query, asker, into, length, source: this.#fastPath.source })
    if (length !== drop && this.onAnswer !== undefined)
      this.onAnswer({
        query: query.bytes.subarray(query.at, query.at + query.length),
        answer: into.bytes.subarray(into.at, into.at + length),
        asker,
        source: this.#fastPath.source,
        ms: 0,
      })
    return length
  }

  async resolve(query: Uint8Array, asker: Asker): Promise<Uint8Array | undefined> {
    const begun = this.#clock.now()
    const bytes = Buffer.from(query.buffer, query.byteOffset, query.byteLength)
    const question: BufferView = { bytes, at: 0, length: bytes.length }
    this.#counters.questions++
    if (trace.on) tellQuestion(query, asker)
    let length = this.#fastPath.answer(question, asker, this.#room)
    let { source } = this.#fastPath
    if (length === later) {
      const given = await this.#wait(this.#fastPath.key)
      source = given.source
      // Other queries have used it meanwhile.
      this.#fastPath.query.read(question)
      length = this.#fastPath.give(
        given.answer,
        { transport: asker.transport, stale: source === 'stale' },
        this.#room,
      )
    }
    if (length <= 0) {
      if (trace.on) tellDrop(query, asker)
      return undefined
    }
    const answer = Uint8Array.prototype.slice.call(this.#room.bytes, 0, length)
    if (trace.on) tellAnswer({ query, answer, asker, source, ms: this.#clock.now() - begun })
    this.onAnswer?.({ query, answer, asker, source, ms: this.#clock.now() - begun })
    return answer
  }

  upstreams(): UpstreamStatus[] {
    return this.#upstreams.status()
  }

  setHosts(own: OwnHosts): void {
    this.#hosts.tell(own)
    this.#renewNames()
  }

  reload(): void {
    this.#hosts.reload()
    this.#renewNames()
    this.#upstreams.reload()
    this.#fastPath.writer.trustAd = this.#upstreams.trustAd
  }

  close(): Promise<void> {
    this.#closed ??= this.#upstreams.close()
    this.#loops.close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Resolves a query that needs an upstream, within the time that clients wait. */
  async #wait(key: string): Promise<SourcedAnswer> {
    const question = questionOf(key)
    if (this.#loops.caught(key)) {
      this.#counters.rejected++
      return { answer: failureAnswer(question, Rcode.REFUSED, Extended.other), source: 'rule' }
    }
    this.#counters.misses++
    if (this.#waiting >= mostWaiting)
      return this.#fail(failureAnswer(question, Rcode.SERVFAIL, Extended.notReady))
    this.#waiting++
    try {
      const answer = await this.#inTime(this.#fetches.get(key))
      this.#fastPath.writer.trustAd = this.#upstreams.trustAd
      if (answer && !isFailure(answer.rcode)) return { answer, source: 'upstream' }
      const stale = this.#stale(key)
      if (stale) return stale
      return this.#fail(answer ?? failureAnswer(question, Rcode.SERVFAIL, Extended.noReachableAuthority))
    } finally {
      this.#waiting--
    }
  }

  #inTime(fetch: Promise<Answer>): Promise<Answer | undefined> {
    return new Promise(resolve => {
      const cancel = this.#clock.after(this.#options.answerWithinMs, () => resolve(undefined))
      void fetch.then(answer => {
        cancel()
        resolve(answer)
      })
    })
  }

  #stale(key: string): SourcedAnswer | undefined {
    const now = this.#clock.now()
    const entry = this.#cache.stale(key, now)
    if (!entry) return undefined
    this.#cache.recheckLater(entry, now)
    this.#counters.stale++
    return { answer: entry.answer, source: 'stale' }
  }

  /** A failure that came from an upstream has no extended error of this forwarder. */
  #fail(answer: Answer): SourcedAnswer {
    if (answer.extended < 0) return { answer, source: 'upstream' }
    this.#counters.failures++
    return { answer, source: 'rule' }
  }

  #renewNames(): void {
    const names = this.#hosts.names()
    this.#fastPath.names = names
    this.#cache.forget(key => names.owns(key))
  }

  #openUpstreams(): Upstreams {
    const { clock, dialer, mixedCase, loopCheck } = this.#options
    return new Upstreams({
      ...this.#options,
      behaviour: { clock, dialer, mixedCase, tcpOnly: false, trustAd: false },
      onNew: upstreams => {
        if (loopCheck) this.#loops.probe(upstreams)
      },
    })
  }
}

/** An answer, and its source. */
interface SourcedAnswer {
  readonly answer: Answer
  readonly source: AnswerSource
}

/** The most clients that wait at once. Each costs about a kilobyte. */
const mostWaiting = 20_000
