import { Queue, type QueueOptions } from './queue.ts'

/** One producer, any number of consumers, each with a bounded queue of its own. */
export class Broadcast<T> {
  readonly #queues = new Set<Queue<T>>()
  #ended = false

  /** A queue of all values that are sent from now on. After `end()` it has ended already. */
  listen({ onClose, ...options }: QueueOptions<T> & { readonly onClose?: () => void } = {}): Queue<T> {
    const close = () => {
      this.#queues.delete(queue)
      onClose?.()
    }
    const queue = new Queue<T>({ ...options, onClose: close })
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
