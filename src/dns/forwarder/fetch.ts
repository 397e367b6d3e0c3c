import { type Deferred, defer } from '../../base/index.ts'
import type { Cancellable } from '../upstream/cancellation.ts'
import type { Delay, Delays, Waiting } from '../upstream/delays.ts'
import type { AnswerReceiver } from '../upstream/hedge.ts'
import type { Answer } from '../wire/answer.ts'
import { Extended, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'

/** What becomes of fetches. */
export interface FetchOwner {
  readonly delays: Delays
  readonly slowMs: number
  readonly answerWithinMs: number
  /** Queries the upstreams. */
  ask(question: Question, receiver: AnswerReceiver): Cancellable
  answered(fetch: Fetch, message: Message): void
  failed(fetch: Fetch, thrown: unknown): void
  /** It has been waiting longer than usual. */
  slow(fetch: Fetch): void
  /** Its clients have waited as long as they do. Returns the answer for them. */
  silent(fetch: Fetch): Answer
  /** Its clients have an answer. */
  over(fetch: Fetch): void
}

/** One pending query to the upstreams, for all clients that wait for its answer. */
export class Fetch implements Waiting, AnswerReceiver {
  readonly question: Question
  /** The domain that it counts for. */
  readonly zone: string
  isOver = false
  readonly #owner: FetchOwner
  readonly #answer: Deferred<Answer> = defer<Answer>()
  readonly #deadline: number
  readonly #asked: Cancellable
  #delay: Delay

  constructor(question: Question, zone: string, owner: FetchOwner) {
    this.question = question
    this.zone = zone
    this.#owner = owner
    const { delays, slowMs, answerWithinMs } = owner
    this.#deadline = delays.now() + answerWithinMs
    this.#delay = delays.start(Math.min(slowMs, answerWithinMs), this)
    this.#asked = owner.ask(question, this)
  }

  /** Never rejects. */
  get answer(): Promise<Answer> {
    return this.#answer.promise
  }

  answered(message: Message): void {
    this.#owner.answered(this, message)
  }

  failed(thrown: unknown): void {
    this.#owner.failed(this, thrown)
  }

  /** It is slow, or its clients wait no longer. */
  due(): void {
    const owner = this.#owner
    const left = this.#deadline - owner.delays.now()
    if (left > 0) {
      owner.slow(this)
      this.#delay = owner.delays.start(left, this)
    } else this.settle(owner.silent(this))
  }

  /** Gives the answer to the clients, unless they have one. */
  settle(answer: Answer): void {
    if (this.isOver) return
    this.isOver = true
    this.#delay.cancel()
    this.#owner.over(this)
    this.#answer.resolve(answer)
  }

  /** Ends it in favour of others. That says nothing about the name, so it is not remembered. */
  end(): void {
    this.settle(failureAnswer(this.question, Rcode.SERVFAIL, Extended.notReady))
    this.cancel()
  }

  /** Waits for the upstreams no longer. */
  cancel(): void {
    this.#asked.cancel()
  }
}
