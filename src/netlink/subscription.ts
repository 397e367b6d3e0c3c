import { Queue } from '../base/index.ts'
import type { NetlinkPort } from './connection.ts'
import { closedError } from './errors.ts'
import { type SocketDescription, SocketTrace } from './trace.ts'
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
  readonly #read: (message: Message) => T | undefined
  readonly #trace: SocketTrace
  #seenLost = 0
  #closed = false

  /** `read` returns undefined for messages that are not wanted. `description` names the socket in traces. */
  constructor(
    port: NetlinkPort,
    read: (message: Message) => T | undefined,
    { limit = 4096, ...description }: SocketDescription & { readonly limit?: number } = {},
  ) {
    this.#port = port
    this.#read = read
    this.#trace = new SocketTrace(description)
    this.#queue = new Queue({ limit })
    port.receive({
      data: bytes => this.#receive(bytes),
      overrun: () => this.#overrun(),
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

  #overrun(): void {
    if (this.#trace.on) this.#trace.overrun()
    this.#queue.push(overrun)
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of messages(bytes)) {
        if (this.#trace.on) this.#trace.event(message)
        const event = this.#read(message)
        if (event !== undefined) this.#queue.push(event)
      }
    } catch (malformed) {
      this.#queue.end(malformed)
    }
  }
}
