import { Queue, type QueueOptions } from './queue.ts'

/** One producer, any number of consumers, each with a bounded queue of its own. */
export class Broadcast<T> {
  readonly #queues = new Set<Queue<T>>()
  #ended = false

  /** A queue of all values that are sent from now on. After `end()` it has ended already. */
  listen(options: QueueOptions<T> = {}): Queue<T> {
    const queue = new Queue<T>({ ...options, onClose: () => this.#queues.delete(queue) })
    if (this.#ended) queue.end()
    else this.#queues.add(queue)
    return queue
  }

  send(value: T): void {
    for (const queue of this.#queues) queue.push(value)
  }

  end(): void {
    this.#ended = true
    for (const queue of [...this.#queues]) queue.end()
  }
}
