import { type Clock, type Deferred, defer, type Port } from '../../../base/index.ts'
import { Frames, framed } from '../../wire/frames.ts'
import type { Message } from '../../wire/message.ts'
import type { Try } from './udp.ts'

/** A query over TCP that has no answer yet. */
export class Pending {
  readonly ask: Try
  readonly id: number
  readonly answer: Deferred<Message | 'plain'> = defer<Message | 'plain'>()
  /** The connection that it was sent over; undefined while it waits for one. */
  connection: TcpConnection | undefined
  sentAt = 0
  /** The number of connections that ended without its answer. */
  lost = 0

  constructor(ask: Try) {
    this.ask = ask
    this.id = ask.wire.readUInt16BE(0)
  }
}

/** Receives what happens on a connection. */
export interface ConnectionOwner {
  /** A message for a pending query has come. */
  answered(connection: TcpConnection, pending: Pending, bytes: Buffer): void
  /** The connection has ended; these queries had no answer. */
  ended(connection: TcpConnection, left: readonly Pending[], failure: Error | undefined): void
}

/** Long enough to be used again by the next name of a page, shorter than servers wait (RFC 7766 §6.2.3). */
const idleMs = 10_000
/** The most pending queries on one connection: far fewer than the ids. */
const window = 128

/** A connection to an upstream. Answers come in any order (RFC 7766 §6.2.1.1, §7). */
export class TcpConnection {
  /** The number of answers that have come over it. */
  answers = 0
  closed = false
  readonly #port: Port
  readonly #clock: Clock
  readonly #frames = new Frames()
  readonly #pending = new Map<number, Pending>()
  readonly #owner: ConnectionOwner
  #cancelIdle = () => {}
  #heardAt = Number.NEGATIVE_INFINITY
  /** A query was cancelled, and nothing has come since it was sent: the connection may be dead. */
  #doubtful = false

  constructor({ server, dialer, clock }: Try, owner: ConnectionOwner) {
    this.#clock = clock
    this.#owner = owner
    this.#port = dialer.tcp(server)
    this.#port.receive({
      data: bytes => {
        this.#heardAt = this.#clock.now()
        this.#doubtful = false
        for (const message of this.#frames.messages(bytes)) this.#deliver(message)
      },
      end: failure => this.#end(failure),
    })
  }

  get idle(): boolean {
    return this.#pending.size === 0
  }

  /** True when it has room for one more query with this id, and is likely to answer it. */
  takes(id: number): boolean {
    return !this.#doubtful && this.#pending.size < window && !this.#pending.has(id)
  }

  send(pending: Pending): void {
    this.#cancelIdle()
    this.#pending.set(pending.id, pending)
    pending.sentAt = this.#clock.now()
    this.#port.send(framed(pending.ask.wire))
  }

  /** The query has its answer, or waits no longer. */
  release(pending: Pending): void {
    if (this.#pending.get(pending.id) !== pending) return
    this.#pending.delete(pending.id)
    this.#doubtful = this.isStuck(pending)
    if (!this.idle || this.closed) return
    this.#cancelIdle()
    this.#cancelIdle = this.#clock.after(idleMs, () => void this.close())
  }

  /** True when nothing has come since the query was sent. */
  isStuck({ sentAt }: Pending): boolean {
    return this.#heardAt < sentAt
  }

  close(): Promise<void> {
    this.#end()
    return this.#port.close()
  }

  #deliver(bytes: Buffer): void {
    const pending = bytes.length < 2 ? undefined : this.#pending.get(bytes.readUInt16BE(0))
    if (pending) this.#owner.answered(this, pending, bytes)
  }

  #end(failure?: Error): void {
    if (this.closed) return
    this.closed = true
    this.#cancelIdle()
    const left = [...this.#pending.values()]
    this.#pending.clear()
    void this.#port.close()
    this.#owner.ended(this, left, failure)
  }
}
