import type { Asker, BufferView, LateAnswer } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import type { FetchClient } from './fetch.ts'

/** A query that takes time, and when that began. */
export interface Asked {
  readonly query: Readonly<BufferView>
  readonly asker: Asker
  readonly late: LateAnswer
  readonly begun: number
}

/** Takes what comes for askings. */
export interface AskingOwner {
  fetched(asking: Asking, answer: Answer): void
}

/** A query whose answer waits for the upstreams. */
export class Asking implements Asked, FetchClient {
  readonly query: Readonly<BufferView>
  readonly asker: Asker
  readonly late: LateAnswer
  readonly begun: number
  /** Of its question. */
  key = ''
  readonly #owner: AskingOwner

  constructor({ query, asker, late, begun }: Asked, owner: AskingOwner) {
    this.query = query
    this.asker = asker
    this.late = late
    this.begun = begun
    this.#owner = owner
  }

  fetched(answer: Answer): void {
    try {
      this.#owner.fetched(this, answer)
    } catch (bug) {
      this.late.failed(bug)
    }
  }
}
