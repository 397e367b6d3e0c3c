import type { Clock } from '../../base/index.ts'
import { Cache } from '../cache/cache.ts'
import { Hosts } from '../names/sources.ts'
import { tellAnswer, tellAtOnce, tellDrop, tellQuestion, trace } from '../observe/trace.ts'
import type { FaultRules } from '../tailor/faults.ts'
import type { Given, Withheld } from '../tailor/given.ts'
import { Tailor } from '../tailor/tailor.ts'
import { take } from '../takes.ts'
import {
  type Answered,
  type AnswerSource,
  type Asker,
  type BufferView,
  type Counters,
  drop,
  type LateAnswer,
  later,
  type OwnHosts,
  type Resolver,
  type UpstreamStatus,
} from '../types.ts'
import { Delays } from '../upstream/delays.ts'
import { LoopWatch } from '../upstream/loop.ts'
import { type OpenDialer, openDialer } from '../upstream/transport/sockets.ts'
import { trustOf } from '../upstream/trust.ts'
import { Upstreams } from '../upstream/upstreams.ts'
import type { Answer } from '../wire/answer.ts'
import { Extended, isFailure, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import { questionOf } from '../wire/question.ts'
import { Asking } from './asking.ts'
import { BootClock } from './boot-clock.ts'
import { newCounters } from './counters.ts'
import { FastPath } from './fast-path.ts'
import type { FetchClient } from './fetch.ts'
import { Fetches } from './fetches.ts'
import { type ResolvedOptions, type ResolverOptions, withDefaults } from './options.ts'

/**
 * Opens a forwarder. Problems with files and upstreams are reported to `notice`, and the forwarder starts. It
 * throws only for mistakes in the options (BAD_UPSTREAM, BAD_ZONE, BAD_RECORD, BAD_FAULT).
 */
export function openResolver(options: ResolverOptions = {}): Resolver {
  return new Forwarder(withDefaults(take('open resolver', options, 'resolver')))
}

class Forwarder implements Resolver {
  onAnswer: ((answered: Answered) => void) | undefined
  readonly #counters = newCounters()
  readonly #options: ResolvedOptions
  readonly #clock: Delays
  /** For what is kept. */
  readonly #bootClock: Clock
  readonly #cache: Cache
  readonly #hosts: Hosts
  readonly #loops: LoopWatch
  readonly #ownDialer: OpenDialer | undefined
  readonly #upstreams: Upstreams
  readonly #fetches: Fetches
  readonly #fastPath: FastPath
  readonly #tailor: Tailor
  /** Answers are written here before they are copied out. */
  readonly #room: BufferView = { bytes: Buffer.alloc(0xffff), at: 0, length: 0xffff }
  /** The last answer in it. */
  readonly #answer: BufferView = { bytes: this.#room.bytes, at: 0, length: 0 }
  #waiting = 0
  #closed: Promise<void> | undefined

  constructor(options: ResolvedOptions) {
    const { notice, cacheEntries, cacheBytes, staleSeconds } = options
    const clock = new Delays(options.clock)
    const counters = this.#counters
    this.#options = options
    this.#clock = clock
    this.#bootClock = new BootClock(clock, options.uptime)
    this.#cache = new Cache({
      entries: cacheEntries,
      bytes: cacheBytes,
      staleSeconds,
      onBytesFull: () => notice(fullText(this.#cache, options)),
    })
    this.#tailor = this.#openTailor()
    this.#hosts = new Hosts({ ...options, onRead: () => this.#renewNames() })
    this.#loops = new LoopWatch(notice)
    this.#ownDialer = options.dialer ? undefined : openDialer()
    this.#upstreams = this.#openUpstreams()
    this.#fetches = new Fetches({
      clock: this.#bootClock,
      delays: clock,
      cache: this.#cache,
      counters,
      ttlMax: options.cacheTtlMax,
      maxUnderWay: options.maxUnderWay,
      answerWithinMs: options.answerWithinMs,
      slowMs: options.hedgeMs,
      guards: key => options.rebindProtection && !this.#upstreams.isZoned(key),
      ask: (question, receiver) => this.#upstreams.ask(question, receiver),
      owns: key => this.#fastPath.names.owns(key),
    })
    const prefetch = this.#fetches.prefetch.bind(this.#fetches)
    this.#tailor.show(this.#hosts.shown())
    this.#fastPath = new FastPath(this.#hosts.names(), {
      clock: this.#bootClock,
      cache: this.#cache,
      counters,
      prefetch,
      tailor: this.#tailor,
    })
  }

  get counters(): Readonly<Counters> {
    return { ...this.#counters, evictions: this.#cache.evictions }
  }

  get faults(): FaultRules {
    return this.#tailor.faults
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

  answerLater(query: BufferView, asker: Asker, late: LateAnswer): void {
    this.#counters.questions++
    if (trace.on) tellQuestion(viewOf(query), asker)
    const asking = new Asking({ query, asker, late, begun: this.#clock.now() }, this)
    if (this.#fastPath.lacksRoom) this.#answerAgain(asking)
    else this.#goOn(asking)
  }

  resolve(query: Uint8Array, asker: Asker): Promise<Uint8Array | undefined> {
    const { buffer, byteOffset, byteLength } = query
    const bytes = Buffer.isBuffer(query) ? query : Buffer.from(buffer, byteOffset, byteLength)
    const begun = this.#clock.now()
    this.#counters.questions++
    if (trace.on) tellQuestion(query, asker)
    return new Promise((answered, failed) => {
      const late = { answered: (answer?: BufferView) => answered(answer && copyOf(answer)), failed }
      const asking = new Asking({ query: { bytes, at: 0, length: bytes.length }, asker, late, begun }, this)
      this.#answerAgain(asking)
    })
  }

  /** For askings alone: their answer has come. */
  fetched(asking: Asking, answer: Answer): void {
    this.#waiting--
    this.#finishWith(asking, this.#sourced(asking.key, answer))
  }

  /** Everything anew. */
  #answerAgain(asking: Asking): void {
    const length = this.#fastPath.answer(asking.query, asking.asker, this.#room)
    if (length === later) this.#goOn(asking)
    else this.#finish(asking, length, this.#fastPath.source)
  }

  /** With the query that the fast path left. */
  #goOn(asking: Asking): void {
    const { key, tailored } = this.#fastPath
    asking.key = key
    if (this.#hosts.isFirstReading)
      void this.#hosts.reading.then(() => this.#answerAgain(asking)).catch(bug => asking.late.failed(bug))
    else if (tailored)
      void this.#tailor
        .answer(key, asking.asker)
        .then(given => this.#finishWith(asking, given))
        .catch(bug => asking.late.failed(bug))
    else {
      const atOnce = this.#fetch(key, asking)
      if (atOnce) this.#finishWith(asking, atOnce)
    }
  }

  #finishWith(asking: Asking, given: SourcedAnswer | Withheld): void {
    // Other queries have used it meanwhile.
    this.#fastPath.query.read(asking.query)
    const length = this.#give(given, asking.asker)
    this.#finish(asking, length, typeof given === 'string' ? 'rule' : given.source)
  }

  /** Writes an answer to the query that was read last. Returns its length, or `drop`. */
  #give(given: SourcedAnswer | Withheld, { transport }: Asker): number {
    if (given === 'nothing') {
      this.#counters.dropped++
      return drop
    }
    if (given === 'truncated') return this.#fastPath.truncate(this.#room)
    const { answer, source, age = 0 } = given
    return this.#fastPath.give(answer, { transport, stale: source === 'stale', age }, this.#room)
  }

  /** Gives the answer in the room. */
  #finish(asking: Asking, length: number, source: AnswerSource): void {
    const { query, asker, late } = asking
    if (length <= 0) {
      if (trace.on) tellDrop(viewOf(query), asker)
      late.answered(undefined)
      return
    }
    this.#answer.length = length
    if (trace.on) tellAnswer(this.#told(asking, source))
    if (this.onAnswer !== undefined) this.onAnswer(this.#told(asking, source))
    late.answered(this.#answer)
  }

  #told({ query, asker, begun }: Asking, source: AnswerSource): Answered {
    return {
      query: viewOf(query),
      answer: viewOf(this.#answer),
      asker,
      source,
      ms: this.#clock.now() - begun,
    }
  }

  upstreams(): UpstreamStatus[] {
    return this.#upstreams.status()
  }

  setHosts(own: OwnHosts): void {
    take('set hosts', own, 'hosts')
    this.#hosts.tell(own)
    this.#renewNames()
  }

  reload(): Promise<void> {
    this.#upstreams.reload()
    return this.#hosts.reload()
  }

  close(): Promise<void> {
    this.#hosts.close()
    this.#tailor.close()
    this.#loops.close()
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#upstreams.close()
    await this.#ownDialer?.[Symbol.asyncDispose]()
  }

  /** Asks the upstreams on behalf of a client, unless there is an answer at once. */
  #fetch(key: string, client: FetchClient): SourcedAnswer | undefined {
    if (this.#loops.caught(key)) {
      this.#counters.rejected++
      return { answer: failureAnswer(questionOf(key), Rcode.REFUSED, Extended.other), source: 'rule' }
    }
    this.#counters.misses++
    if (this.#waiting >= mostWaiting)
      return this.#fail(failureAnswer(questionOf(key), Rcode.SERVFAIL, Extended.notReady))
    this.#waiting++
    this.#fetches.get(key, client)
    return undefined
  }

  #sourced(key: string, answer: Answer): SourcedAnswer {
    if (!isFailure(answer.rcode)) return { answer, source: 'upstream' }
    return this.#stale(key) ?? this.#fail(answer)
  }

  /** The same as a promise. */
  #ask(key: string): Promise<SourcedAnswer> {
    return new Promise(resolve => {
      const fetched = (answer: Answer) => {
        this.#waiting--
        resolve(this.#sourced(key, answer))
      }
      const atOnce = this.#fetch(key, { fetched })
      if (atOnce) resolve(atOnce)
    })
  }

  #fresh(key: string): Given | undefined {
    const bytes = questionOf(key).keyBytes
    const now = this.#bootClock.now()
    const slot = this.#cache.find(bytes, bytes.length, now)
    const { expiresAt, storedAt } = this.#cache.slots
    if (slot < 0 || now >= expiresAt[slot]!) return undefined
    this.#counters.hits++
    return {
      answer: this.#cache.copy(slot),
      source: 'cache',
      age: Math.floor((now - storedAt[slot]!) / 1000),
    }
  }

  #stale(key: string): SourcedAnswer | undefined {
    const now = this.#bootClock.now()
    const slot = this.#cache.stale(questionOf(key).keyBytes, now)
    if (slot < 0) return undefined
    this.#cache.recheckLater(slot, now)
    this.#counters.stale++
    return { answer: this.#cache.copy(slot), source: 'stale' }
  }

  #fail(answer: Answer): SourcedAnswer {
    if (answer.received) return { answer, source: 'upstream' }
    this.#counters.failures++
    return { answer, source: 'rule' }
  }

  #renewNames(): void {
    // The first reading may be over before there is a fast path.
    if (!this.#fastPath) return
    this.#fastPath.names = this.#hosts.names()
    this.#tailor.show(this.#hosts.shown())
  }

  #openTailor(): Tailor {
    const { clock, faults, filter, dns64 } = this.#options
    return new Tailor({
      ...{ clock, faults, filter, dns64 },
      names: () => this.#fastPath.names,
      cached: key => this.#fresh(key),
      ask: key => this.#ask(key),
    })
  }

  #openUpstreams(): Upstreams {
    const { mixedCase, loopCheck, notice, upstreamCa } = this.#options
    const clock = this.#clock
    const dialer = this.#options.dialer ?? this.#ownDialer!
    const trust = trustOf(upstreamCa)
    return new Upstreams({
      ...this.#options,
      behaviour: { clock, dialer, mixedCase, tcpOnly: false, trustAd: false, trust, notice },
      onNew: upstreams => {
        if (loopCheck) this.#loops.probe(upstreams)
      },
    })
  }
}

function viewOf({ bytes, at, length }: Readonly<BufferView>): Buffer {
  return bytes.subarray(at, at + length)
}

function copyOf(part: BufferView): Buffer {
  return Buffer.from(viewOf(part))
}

/** One sentence, for the user who may give the cache more memory. */
function fullText({ entries, bytes }: Cache, { cacheEntries, cacheBytes }: ResolvedOptions): string {
  const limit = `${cacheBytes} bytes, before it has ${cacheEntries}`
  return `The cache is full with ${entries} answers: they take ${bytes} of ${limit}. --cache-bytes allows more.`
}

/** An answer, and its source. */
interface SourcedAnswer {
  readonly answer: Answer
  readonly source: AnswerSource
  /** How many seconds it has been kept. */
  readonly age?: number
}

/** The most clients that wait at once. Each costs about a kilobyte. */
const mostWaiting = 20_000
