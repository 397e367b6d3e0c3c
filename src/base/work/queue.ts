import { type Deferred, defer } from './deferred.ts'

export interface QueueOptions<T> {
  /** How many values may wait; with `sizeOf`, how large they may be together. Default: 1024. */
  readonly limit?: number
  readonly sizeOf?: (value: T) => number
}

/**
 * Values from one producer for one consumer, which reads them with `for await`. When more than `limit` are
 * waiting, the oldest are dropped and counted in `lost`, so that a slow consumer cannot use unbounded memory.
 */
export class Queue<T> implements AsyncIterableIterator<T>, AsyncDisposable {
  readonly #limit: number
  readonly #sizeOf: (value: T) => number
  readonly #onClose: (() => void) | undefined
  readonly #values: T[] = []
  readonly #waiting: Deferred<IteratorResult<T>>[] = []
  #size = 0
  #ended = false
  #failure: unknown
  lost = 0

  constructor(options: QueueOptions<T> & { readonly onClose?: () => void } = {}) {
    this.#limit = options.limit ?? 1024
    this.#sizeOf = options.sizeOf ?? (() => 1)
    this.#onClose = options.onClose
  }

  push(value: T): void {
    if (this.#ended) return
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ value, done: false })
    else this.#keep(value)
  }

  #keep(value: T): void {
    this.#values.push(value)
    this.#size += this.#sizeOf(value)
    while (this.#size > this.#limit) {
      this.#take()
      this.lost++
    }
  }

  #take(): T {
    const value = this.#values.shift() as T
    this.#size -= this.#sizeOf(value)
    return value
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
    if (this.#values.length > 0) result.resolve({ value: this.#take(), done: false })
    else if (this.#ended) this.#finish(result)
    else this.#waiting.push(result)
    return result.promise
  }

  /** `for await` calls this when its loop is left early. */
  return(): Promise<IteratorResult<T>> {
    this.#values.length = 0
    this.#size = 0
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** `await using`: leaves it, whatever has been read. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #finish(waiting: Deferred<IteratorResult<T>>): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) waiting.resolve({ value: undefined, done: true })
    else waiting.reject(failure)
  }
}
