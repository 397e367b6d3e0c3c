import { Queue } from '../base/index.ts'
import type { NetlinkPort } from './connection.ts'
import { closedError } from './errors.ts'
import { type Message, messages } from './wire/index.ts'

/**
 * Some events were lost, because the kernel's buffer or the queue here was full. Your copy of the state is
 * stale: list it again.
 */
export interface Overrun {
  readonly kind: 'overrun'
}

const overrun: Overrun = { kind: 'overrun' }

/**
 * Multicast events, from a socket of their own: a flood of them cannot displace the answers to requests. Take
 * them with `for await`; leaving the loop closes the socket.
 */
export class Subscription<T> implements AsyncIterableIterator<T | Overrun>, AsyncDisposable {
  readonly #port: NetlinkPort
  readonly #queue: Queue<T | Overrun>
  #seenLost = 0
  #closed = false

  /** `read` returns undefined for messages that are not wanted. */
  constructor(port: NetlinkPort, read: (message: Message) => T | undefined, limit = 4096) {
    this.#port = port
    this.#queue = new Queue({ limit })
    port.receive({
      data: bytes => this.#receive(bytes, read),
      overrun: () => this.#queue.push(overrun),
      end: failure => this.#queue.end(failure && closedError({ op: 'listen for events' }, failure)),
    })
  }

  async next(): Promise<IteratorResult<T | Overrun>> {
    if (this.#queue.lost === this.#seenLost) return await this.#queue.next()
    this.#seenLost = this.#queue.lost
    return { value: overrun, done: false }
  }

  /** Called by `for await` when its loop is left early. */
  async return(): Promise<IteratorResult<T | Overrun>> {
    await this.close()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Ends the loop, after the events that are already queued. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.end()
    await this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #receive(bytes: Uint8Array, read: (message: Message) => T | undefined): void {
    try {
      for (const message of messages(bytes)) {
        const event = read(message)
        if (event !== undefined) this.#queue.push(event)
      }
    } catch (malformed) {
      this.#queue.end(malformed)
    }
  }
}
