import { type Deferred, defer } from './deferred.ts'

/**
 * Values from one producer for one consumer, which reads them with `for await`. When more than `limit` are
 * waiting, the oldest are dropped and counted in `lost`, so that a slow consumer cannot use unbounded memory.
 */
export class Queue<T> implements AsyncIterableIterator<T> {
  readonly #limit: number
  readonly #onClose: (() => void) | undefined
  readonly #values: T[] = []
  readonly #waiting: Deferred<IteratorResult<T>>[] = []
  #ended = false
  #failure: unknown
  lost = 0

  constructor(options: { limit?: number; onClose?: () => void } = {}) {
    this.#limit = options.limit ?? 1024
    this.#onClose = options.onClose
  }

  push(value: T): void {
    if (this.#ended) return
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ value, done: false })
    else this.#values.push(value)
    if (this.#values.length > this.#limit) {
      this.#values.shift()
      this.lost++
    }
  }

  /** Ends the queue. Queued values are still delivered; then the loop ends, or throws `failure` if given. */
  end(failure?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting)
    this.#onClose?.()
  }

  next(): Promise<IteratorResult<T>> {
    const result = defer<IteratorResult<T>>()
    if (this.#values.length > 0) result.resolve({ value: this.#values.shift() as T, done: false })
    else if (this.#ended) this.#finish(result)
    else this.#waiting.push(result)
    return result.promise
  }

  /** `for await` calls this when its loop is left early. */
  return(): Promise<IteratorResult<T>> {
    this.#values.length = 0
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #finish(waiting: Deferred<IteratorResult<T>>): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) waiting.resolve({ value: undefined, done: true })
    else waiting.reject(failure)
  }
}
