import type { Cancellable } from '../upstream/cancellation.ts'
import type { Delay, Delays, Waiting } from '../upstream/delays.ts'
import type { AnswerReceiver } from '../upstream/hedge.ts'
import type { Answer } from '../wire/answer.ts'
import { Extended, Rcode } from '../wire/constants.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import { zoneOf } from './zone-load.ts'

/** Waits for an answer. */
export interface FetchClient {
  /** A failure is an answer too. It must not throw. */
  fetched(answer: Answer): void
}

/** What becomes of fetches. */
export interface FetchOwner {
  readonly delays: Delays
  readonly slowMs: number
  readonly answerWithinMs: number
  readonly edition: number
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
  /** That of the own names when it began: its name was none of them. */
  readonly edition: number
  isOver = false
  isSlow = false
  readonly #owner: FetchOwner
  /** Nearly always there is one. */
  #client: FetchClient | undefined
  #others: FetchClient[] | undefined
  readonly #deadline: number
  readonly #asked: Cancellable
  #delay: Delay

  constructor(question: Question, client: FetchClient | undefined, owner: FetchOwner) {
    this.question = question
    this.#client = client
    this.#owner = owner
    this.edition = owner.edition
    const { delays, slowMs, answerWithinMs } = owner
    this.#deadline = delays.now() + answerWithinMs
    this.#delay = delays.start(Math.min(slowMs, answerWithinMs), this)
    this.#asked = owner.ask(question, this)
  }

  /** The domain that it counts for. */
  get zone(): string {
    return zoneOf(this.question.key.slice(0, -5))
  }

  /** One more that waits for the answer. */
  add(client: FetchClient): void {
    if (this.#client === undefined) this.#client = client
    else if (this.#others === undefined) this.#others = [client]
    else this.#others.push(client)
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
      this.isSlow = true
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
    this.#client?.fetched(answer)
    if (this.#others) for (const other of this.#others) other.fetched(answer)
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
