import { type Clock, type Deferred, defer } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { isFailure } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import { cancelled } from './failure.ts'
import type { Upstream } from './upstream.ts'

export interface HedgeOptions {
  readonly clock: Clock
  /** The servers to ask, in this order; at least one. */
  readonly upstreams: readonly Upstream[]
  readonly question: Question
  /** When no answer has come for so long, in milliseconds, the next server is asked too. */
  readonly hedgeMs: number
  /** How long each attempt may take, in milliseconds: longer than any client waits, for the sake of the cache. */
  readonly tryMs: number
  /** How often each server may be asked. */
  readonly rounds: number
  /** Cancels the query. */
  readonly signal: AbortSignal
}

/**
 * Asks one server after another: the next one at once when an answer is a failure, or when no answer has come
 * for a while. It takes the first good answer and cancels the others. When all fail, the result is the first
 * answer with a failure, since it is still an upstream's, or else the reason why there was none.
 */
export function hedge(options: HedgeOptions): Promise<Message> {
  return new Running(options).done.promise
}

class Running {
  readonly done: Deferred<Message> = defer<Message>()
  readonly #options: HedgeOptions
  readonly #abort = new AbortController()
  /**
   * The servers still worth asking: one that answered with a failure, or cannot be reached, is not asked
   * again.
   */
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
    if (!this.#finished) this.#finish(() => this.done.reject(cancelled('all upstreams')))
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
    this.#cancelHedge = this.#options.clock.after(this.#hedgeDelay(), () => this.#next())
    upstream.ask(question, { ms: tryMs, signal: this.#abort.signal }).then(
      message => this.#answered(upstream, message),
      thrown => this.#failed(upstream, thrown),
    )
  }

  /** The time before the next server is asked too: `hedgeMs` in the first round, doubled with every further one. */
  #hedgeDelay(): number {
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
    this.#reason ??= thrown instanceof DnsError ? thrown : cancelled(upstream.name)
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
    // With a reason given here: the default reason, with its stack, costs as much as all the rest of a query.
    if (this.#underWay > 0) this.#abort.abort('over')
    settle()
  }
}
