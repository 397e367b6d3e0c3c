import { defer, Queue } from '../base/index.ts'
import type { NetlinkPort } from './connection.ts'
import { closedError } from './errors.ts'
import { type SocketDescription, SocketTrace } from './trace.ts'
import { type Message, messages } from './wire/index.ts'

/**
 * Some events were lost, because the kernel's buffer or the queue here was full. Your copy of the state is
 * stale: list it again.
 */
export interface Lost {
  readonly type: 'lost'
  /** How many. Absent when the kernel has dropped them: it does not count. */
  readonly count?: number
}

const dropped: Lost = { type: 'lost' }

/**
 * Multicast events, from a socket of their own: a flood of them cannot displace the answers to requests. Take
 * them with `for await`; leaving the loop closes the socket.
 */
export class Subscription<T> implements AsyncIterableIterator<T | Lost>, AsyncDisposable {
  readonly #port: NetlinkPort
  readonly #queue: Queue<T | Lost>
  readonly #read: (message: Message) => T | undefined
  readonly #trace: SocketTrace
  readonly #closed = defer<Error | undefined>()
  #seenLost = 0

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
      end: failure => this.#end(failure && closedError({ op: 'listen for events' }, failure)),
    })
  }

  async next(): Promise<IteratorResult<T | Lost>> {
    const count = this.lost - this.#seenLost
    if (count === 0) return await this.#queue.next()
    this.#seenLost = this.lost
    return { value: { type: 'lost', count }, done: false }
  }

  /** Called by `for await` when its loop is left early. */
  async return(): Promise<IteratorResult<T | Lost>> {
    await this.close()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** How many of the oldest events a reader that lags has missed. Those that the kernel dropped are not counted. */
  get lost(): number {
    return this.#queue.lost
  }

  /** Resolves when it has ended: with the failure, or with undefined after `close()`. */
  get closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  /** Ends the loop, after the events that are already queued. */
  async close(): Promise<void> {
    this.#end()
    await this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #overrun(): void {
    if (this.#trace.on) this.#trace.overrun()
    this.#queue.push(dropped)
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of messages(bytes)) {
        if (this.#trace.on) this.#trace.event(message)
        const event = this.#read(message)
        if (event !== undefined) this.#queue.push(event)
      }
    } catch (malformed) {
      this.#end(malformed as Error)
    }
  }

  #end(failure?: Error): void {
    this.#queue.end(failure)
    this.#closed.resolve(failure)
  }
}
