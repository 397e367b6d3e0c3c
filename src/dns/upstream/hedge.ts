import { type Clock, type Deferred, defer } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { isFailure } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import { calledOff } from './failure.ts'
import type { Upstream } from './upstream.ts'

export interface HedgeOptions {
  readonly clock: Clock
  /** Who is asked, in this order; at least one. */
  readonly upstreams: readonly Upstream[]
  readonly question: Question
  /** When nobody has answered for so long, somebody else is asked too. */
  readonly hedgeMs: number
  /** How long each try is listened to; longer than any asker waits, for the cache's sake. */
  readonly tryMs: number
  /** How often each may be asked. */
  readonly rounds: number
  /** Ends it, without an answer. */
  readonly signal: AbortSignal
}

/**
 * Asks one after the other: the next one when an answer is a failure, at once, or when none has come for a while.
 * The first good answer is taken and the others are called off. When all fail: the first failing answer, for it is
 * still an upstream's word, or else the reason why there was none.
 */
export function hedge(options: HedgeOptions): Promise<Message> {
  return new Running(options).done.promise
}

class Running {
  readonly done: Deferred<Message> = defer<Message>()
  readonly #options: HedgeOptions
  readonly #abort = new AbortController()
  /** Those still worth asking: who answered with a failure, or is not there, is not asked again. */
  #able: Upstream[]
  #started = 0
  #underWay = 0
  #failing: Message | undefined
  #reason: DnsError | undefined
  #cancelHedge = () => {}
  #finished = false

  constructor(options: HedgeOptions) {
    this.#options = options
    this.#able = [...options.upstreams]
    options.signal.addEventListener('abort', this.#giveUp)
    this.#next()
  }

  readonly #giveUp = (): void => {
    if (!this.#finished) this.#finish(() => this.done.reject(calledOff('all upstreams')))
  }

  #next(): void {
    const { upstreams, question, tryMs, rounds } = this.#options
    this.#cancelHedge()
    const upstream = this.#started < upstreams.length * rounds ? this.#able.shift() : undefined
    if (upstream === undefined) {
      this.#endIfQuiet()
      return
    }
    this.#able.push(upstream)
    this.#started++
    this.#underWay++
    this.#cancelHedge = this.#options.clock.after(this.#patience(), () => this.#next())
    upstream.ask(question, { ms: tryMs, signal: this.#abort.signal }).then(
      message => this.#answered(upstream, message),
      thrown => this.#failed(upstream, thrown),
    )
  }

  /** The same for everybody's first turn; when all have had one, twice that, and so on. */
  #patience(): number {
    const turn = Math.floor((this.#started - 1) / this.#options.upstreams.length)
    return this.#options.hedgeMs * 2 ** turn
  }

  #answered(upstream: Upstream, message: Message): void {
    this.#underWay--
    if (this.#finished) return
    if (isFailure(message.rcode)) {
      this.#failing ??= message
      this.#goOnWithout(upstream)
    } else this.#finish(() => this.done.resolve(message))
  }

  #failed(upstream: Upstream, thrown: unknown): void {
    this.#underWay--
    if (this.#finished) return
    this.#reason ??= thrown instanceof DnsError ? thrown : calledOff(upstream.name)
    this.#goOnWithout(upstream)
  }

  #goOnWithout(upstream: Upstream): void {
    this.#able = this.#able.filter(other => other !== upstream)
    this.#next()
  }

  #endIfQuiet(): void {
    if (this.#finished || this.#underWay > 0) return
    const failing = this.#failing
    this.#finish(() => (failing ? this.done.resolve(failing) : this.done.reject(this.#reason)))
  }

  #finish(settle: () => void): void {
    this.#finished = true
    this.#cancelHedge()
    this.#options.signal.removeEventListener('abort', this.#giveUp)
    // With a reason of ours: the one made up otherwise, with its stack, costs as much as all the rest of a race.
    if (this.#underWay > 0) this.#abort.abort('over')
    settle()
  }
}
