import { DnsError } from '../errors.ts'
import { isFailure } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import { type Cancellable, Cancellation } from './cancellation.ts'
import type { Delay, Delays, Waiting } from './delays.ts'
import { cancelled } from './failure.ts'
import type { Upstream, UpstreamReceiver } from './upstream.ts'

export interface HedgeOptions {
  readonly clock: Delays
  /** The servers to ask, in this order; at least one. */
  readonly upstreams: readonly Upstream[]
  readonly question: Question
  /** When no answer has come for so long, in milliseconds, the next server is asked too. */
  readonly hedgeMs: number
  /** How long each attempt may take, in milliseconds: longer than any client waits, for the sake of the cache. */
  readonly tryMs: number
  /** How often each server may be asked. */
  readonly rounds: number
  /** Called once, when the result is there. */
  readonly over: (asked: Cancellable) => void
}

/** Takes the result of a query, one of both, and never while it is being sent. */
export interface AnswerReceiver {
  answered(message: Message): void
  /** With a DnsError. */
  failed(thrown: unknown): void
}

/**
 * Asks one server after another: the next one at once when an answer is a failure, or when no answer has come
 * for a while. It takes the first good answer and cancels the others. When all fail, the result is the first
 * answer with a failure, since it is still an upstream's, or else the reason why there was none.
 */
export function hedge(receiver: AnswerReceiver, options: HedgeOptions): Cancellable {
  return new Running(receiver, options)
}

class Running implements Cancellable, Waiting, UpstreamReceiver {
  readonly #receiver: AnswerReceiver
  readonly #options: HedgeOptions
  readonly #cancellation = new Cancellation()
  /**
   * The servers still worth asking: one that answered with a failure, or cannot be reached, is not asked
   * again.
   */
  #able: Upstream[]
  #started = 0
  #underWay = 0
  #failing: Message | undefined
  #reason: DnsError | undefined
  #hedge: Delay | undefined
  #finished = false

  constructor(receiver: AnswerReceiver, options: HedgeOptions) {
    this.#receiver = receiver
    this.#options = options
    this.#able = [...options.upstreams]
    this.#next()
  }

  cancel(): void {
    if (!this.#finished) this.#finish(() => this.#receiver.failed(cancelled('all upstreams')))
  }

  /** No answer for a while. */
  due(): void {
    this.#next()
  }

  #next(): void {
    const { upstreams, question, tryMs, rounds } = this.#options
    this.#hedge?.cancel()
    const upstream = this.#started < upstreams.length * rounds ? this.#able.shift() : undefined
    if (upstream === undefined) {
      this.#endIfQuiet()
      return
    }
    this.#able.push(upstream)
    this.#started++
    this.#underWay++
    this.#hedge = this.#options.clock.start(this.#hedgeDelay(), this)
    upstream.ask(question, { ms: tryMs, cancellation: this.#cancellation, receiver: this })
  }

  /** The time before the next server is asked too: `hedgeMs` in the first round, doubled with every further one. */
  #hedgeDelay(): number {
    const turn = Math.floor((this.#started - 1) / this.#options.upstreams.length)
    return this.#options.hedgeMs * 2 ** turn
  }

  answered(upstream: Upstream, message: Message): void {
    this.#underWay--
    if (this.#finished) return
    if (isFailure(message.rcode)) {
      this.#failing ??= message
      this.#goOnWithout(upstream)
    } else this.#finish(() => this.#receiver.answered(message))
  }

  failed(upstream: Upstream, thrown: unknown): void {
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
    this.#finish(() => (failing ? this.#receiver.answered(failing) : this.#receiver.failed(this.#reason)))
  }

  #finish(settle: () => void): void {
    this.#finished = true
    this.#hedge?.cancel()
    if (this.#underWay > 0) this.#cancellation.cancel()
    this.#options.over(this)
    settle()
  }
}
