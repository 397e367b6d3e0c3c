import { type Clock, type Deferred, defer, type Port } from '../../../base/index.ts'
import { headerBytes } from '../../wire/constants.ts'
import { Frames, framed } from '../../wire/frames.ts'
import { type Message, readMessage } from '../../wire/message.ts'
import { compare } from '../../wire/question.ts'
import { serverText } from '../conf/server.ts'
import { cancelled, malformed, silent, unreachable } from '../failure.ts'
import type { Try } from './udp.ts'

interface Waiting {
  readonly ask: Try
  readonly answer: Deferred<Message | 'plain'>
}

/** Long enough to be used again by the next name of a page, shorter than servers wait (RFC 7766 §6.2.3). */
const idleMs = 10_000
/** The most pending queries on one connection: far fewer than the ids. */
const window = 128

/** A connection to an upstream, shared by several queries. Answers come in any order (RFC 7766 §6.2.1.1, §7). */
export class TcpConnection {
  /** True when an answer has come over it. The end of such a connection says nothing about the server. */
  proven = false
  closed = false
  readonly #port: Port
  readonly #clock: Clock
  readonly #name: string
  readonly #frames = new Frames()
  readonly #waiting = new Map<number, Waiting>()
  readonly #onClose: (connection: TcpConnection) => void
  #cancelIdle = () => {}
  #heardAt = Number.NEGATIVE_INFINITY

  constructor({ server, dialer, clock }: Try, onClose: (connection: TcpConnection) => void) {
    this.#clock = clock
    this.#name = serverText(server)
    this.#onClose = onClose
    this.#port = dialer.tcp(server)
    this.#port.receive({
      data: bytes => {
        this.#heardAt = this.#clock.now()
        for (const message of this.#frames.messages(bytes)) this.#deliver(message)
      },
      end: failure => this.#end(failure),
    })
  }

  get full(): boolean {
    return this.#waiting.size >= window
  }

  /** True when a pending query has this id. */
  has(id: number): boolean {
    return this.#waiting.has(id)
  }

  async ask(ask: Try): Promise<Message | 'plain'> {
    const id = ask.wire.readUInt16BE(0)
    const answer = defer<Message | 'plain'>()
    this.#cancelIdle()
    this.#waiting.set(id, { ask, answer })
    const asked = this.#clock.now()
    const cancel = this.#clock.after(ask.ms, () => {
      answer.reject(silent(this.#name, ask.ms))
      // No other answer came either: the connection is stuck, so the next query opens another.
      if (this.#heardAt < asked) void this.close()
    })
    const abort = () => answer.reject(cancelled(this.#name))
    ask.signal.addEventListener('abort', abort)
    this.#port.send(framed(ask.wire))
    try {
      return await answer.promise
    } finally {
      cancel()
      ask.signal.removeEventListener('abort', abort)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#idle()
    }
  }

  close(): Promise<void> {
    this.#end()
    return this.#port.close()
  }

  #deliver(bytes: Buffer): void {
    const waiting = bytes.length < 2 ? undefined : this.#waiting.get(bytes.readUInt16BE(0))
    if (!waiting) return
    const { ask, answer } = waiting
    const likeness = compare(ask.wire, bytes, ask.questionLength)
    if (likeness === 'other') {
      ask.wrong()
      return
    }
    this.proven = true
    const edns = ask.wire.length > headerBytes + ask.questionLength
    const result = likeness === 'bare' && edns ? 'plain' : readMessage(bytes)
    if (result) answer.resolve(result)
    else answer.reject(malformed(this.#name))
  }

  #idle(): void {
    if (this.closed) return
    this.#cancelIdle()
    this.#cancelIdle = this.#clock.after(idleMs, () => void this.close())
  }

  #end(failure?: Error): void {
    if (this.closed) return
    this.closed = true
    this.#cancelIdle()
    this.#onClose(this)
    for (const { answer } of this.#waiting.values()) answer.reject(unreachable(this.#name, failure))
    void this.#port.close()
  }
}

/** The connections to one upstream: usually one, and another when it is full. */
export class TcpConnections {
  readonly #open = new Set<TcpConnection>()

  /**
   * Queries over an open connection, or a new one. When the open one had been closed meanwhile, it tries once
   * more.
   */
  async ask(ask: Try): Promise<Message | 'plain'> {
    const id = ask.wire.readUInt16BE(0)
    const used = [...this.#open].find(connection => !connection.full && !connection.has(id))
    if (!used) return await this.#connect(ask).ask(ask)
    try {
      return await used.ask(ask)
    } catch (failure) {
      if (!used.closed || !used.proven || ask.signal.aborted) throw failure
      return await this.#connect(ask).ask(ask)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(connection => connection.close()))
  }

  #connect(ask: Try): TcpConnection {
    const connection = new TcpConnection(ask, closed => this.#open.delete(closed))
    this.#open.add(connection)
    return connection
  }
}
