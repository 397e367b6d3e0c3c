import { DnsError } from '../errors.ts'
import { isFailure } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import { type Cancellable, Cancellation } from './cancellation.ts'
import type { Delay, Delays, Waiting } from './delays.ts'
import { cancelled } from './failure.ts'
import type { AttemptOptions, Upstream, UpstreamReceiver } from './upstream.ts'

/** How servers are asked one after another. */
export interface HedgeManner {
  readonly clock: Delays
  /** When no answer has come for so long, in milliseconds, the next server is asked too. */
  readonly hedgeMs: number
  /** How long each attempt may take, in milliseconds: longer than any client waits, for the sake of the cache. */
  readonly tryMs: number
  /** How often each server may be asked. */
  readonly attempts: number
  /** Called once, when the result is there. */
  over(asked: Cancellable): void
}

/** Takes the result of a query, one of both, and never while it is being sent. */
export interface AnswerReceiver {
  answered(message: Message): void
  /** With a DnsError. */
  failed(thrown: unknown): void
}

/** A lone server whose answer is lost is asked so often: a third time while the client still waits. */
const loneAttempts = 3

/**
 * Asks one server after another: the next one at once when an answer is a failure, or when no answer has come
 * for a while. It takes the first good answer and cancels the others. When all fail, the result is the first
 * answer with a failure, since it is still an upstream's, or else the reason why there was none.
 */
export class Hedge implements Cancellable, Waiting, UpstreamReceiver, AttemptOptions {
  readonly cancellation = new Cancellation()
  readonly #question: Question
  readonly #receiver: AnswerReceiver
  readonly #manner: HedgeManner
  /**
   * The servers still worth asking, at least one at first: one that answered with a failure, or cannot be reached,
   * is not asked again.
   */
  #able: readonly Upstream[] = []
  /** The place of the next one. */
  #turn = 0
  #servers = 0
  #started = 0
  #underWay = 0
  #failing: Message | undefined
  #reason: DnsError | undefined
  #hedge: Delay | undefined
  #finished = false

  constructor(question: Question, receiver: AnswerReceiver, manner: HedgeManner) {
    this.#question = question
    this.#receiver = receiver
    this.#manner = manner
  }

  /** Asks these servers, in this order. */
  start(upstreams: readonly Upstream[]): void {
    this.#able = upstreams
    this.#servers = upstreams.length
    this.#next()
  }

  get ms(): number {
    return this.#manner.tryMs
  }

  get receiver(): this {
    return this
  }

  cancel(): void {
    if (this.#finished) return
    this.#finish()
    this.#receiver.failed(cancelled('all upstreams'))
  }

  /** No answer for a while. */
  due(): void {
    this.#next()
  }

  #next(): void {
    const { clock, attempts } = this.#manner
    this.#hedge?.cancel()
    const most = this.#servers === 1 ? Math.max(attempts, loneAttempts) : this.#servers * attempts
    const upstream = this.#started < most ? this.#able[this.#turn] : undefined
    if (upstream === undefined) {
      this.#endIfQuiet()
      return
    }
    this.#turn = (this.#turn + 1) % this.#able.length
    this.#started++
    this.#underWay++
    this.#hedge = clock.start(this.#hedgeDelay(), this)
    upstream.ask(this.#question, this)
  }

  /** The time before the next server is asked too: `hedgeMs` in the first round, doubled with every further one. */
  #hedgeDelay(): number {
    const round = Math.floor((this.#started - 1) / this.#servers)
    return this.#manner.hedgeMs * 2 ** round
  }

  answered(upstream: Upstream, message: Message): void {
    this.#underWay--
    if (this.#finished) return
    if (isFailure(message.rcode)) {
      this.#failing ??= message
      this.#goOnWithout(upstream)
    } else {
      this.#finish()
      this.#receiver.answered(message)
    }
  }

  failed(upstream: Upstream, thrown: unknown): void {
    this.#underWay--
    if (this.#finished) return
    this.#reason ??= thrown instanceof DnsError ? thrown : cancelled(upstream.name)
    this.#goOnWithout(upstream)
  }

  #goOnWithout(upstream: Upstream): void {
    const at = this.#able.indexOf(upstream)
    if (at >= 0) {
      this.#able = this.#able.filter(other => other !== upstream)
      const next = at < this.#turn ? this.#turn - 1 : this.#turn
      this.#turn = next < this.#able.length ? next : 0
    }
    this.#next()
  }

  #endIfQuiet(): void {
    if (this.#finished || this.#underWay > 0) return
    this.#finish()
    if (this.#failing) this.#receiver.answered(this.#failing)
    else this.#receiver.failed(this.#reason)
  }

  #finish(): void {
    this.#finished = true
    this.#hedge?.cancel()
    if (this.#underWay > 0) this.cancellation.cancel()
    this.#manner.over(this)
  }
}
