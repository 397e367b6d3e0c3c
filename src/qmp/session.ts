import { closeSync } from 'node:fs'
import { type Clock, defer, messageOf, type Port, systemClock } from '../base/index.ts'
import { closedError, lostError, QmpError } from './errors.ts'
import { LineAssembler } from './lines.ts'
import { type Ask, PendingCommands } from './pending.ts'
import { SessionTrace } from './trace.ts'
import { decodeMessage, type Message } from './wire.ts'

/** What both clients, of a monitor and of a guest agent, can be told. */
export interface ConnectOptions {
  /** Who is at the other end, for error messages: `vm-003`. */
  readonly peer?: string
  /** How long to wait for the greeting, and for each answer unless its call says otherwise. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

interface SessionOptions {
  readonly peer: string
  /** Which of a VM's two protocols it is, for traces. */
  readonly protocol: 'monitor' | 'agent'
  readonly clock?: Clock | undefined
  readonly maxLine: number
  readonly alwaysId?: boolean
  /** Everything that is no reply to a command. */
  hear(message: Message): void
  /** A line that is no message. */
  garbled(failure: QmpError): void
  /** It is over; called once, before anybody else learns of it. */
  ended(reason: QmpError): void
}

/** Commands out, replies in, over one port: what QMP and the guest agent's protocol have in common. */
export class Session {
  readonly peer: string
  readonly clock: Clock
  readonly pending: PendingCommands
  readonly #port: Port
  readonly #lines: LineAssembler
  readonly #habits: SessionOptions
  readonly #trace: SessionTrace
  readonly #closed = defer<QmpError | undefined>()
  #end: QmpError | undefined
  #closing: Promise<void> | undefined

  constructor(port: Port, habits: SessionOptions) {
    this.peer = habits.peer
    this.clock = habits.clock ?? systemClock
    this.#port = port
    this.#habits = habits
    this.#lines = new LineAssembler(habits.maxLine)
    this.#trace = new SessionTrace(`${habits.peer} ${habits.protocol}`)
    this.pending = new PendingCommands({
      peer: this.peer,
      trace: this.#trace,
      clock: this.clock,
      alwaysId: habits.alwaysId ?? false,
      send: (text, fds) => this.send(Buffer.from(text), fds),
    })
  }

  /** Starts listening. Apart from the constructor, so that whoever hears is there first. */
  start(): void {
    this.#port.receive({
      data: (bytes, fds = []) => {
        for (const fd of fds) closeSync(fd) // none is ever asked for; a hostile QEMU could fill our table
        this.#data(bytes)
      },
      end: failure => {
        const reason = failure ? messageOf(failure) : 'it closed the connection'
        this.end(closedError(this.peer, reason, failure))
      },
    })
  }

  /** Resolves with the reason when the conversation is over; with undefined after {@link close}. */
  get closed(): Promise<QmpError | undefined> {
    return this.#closed.promise
  }

  ask(ask: Ask): Promise<unknown> {
    if (this.#end) return Promise.reject(lostError(this.#end, ask.command, 'unsent'))
    return this.pending.ask(ask)
  }

  send(bytes: Uint8Array, fds?: readonly number[]): void {
    try {
      this.#port.send(bytes, fds)
    } catch (failure) {
      this.end(closedError(this.peer, messageOf(failure), failure))
    }
  }

  /** Ends it for a reason: all that wait are rejected with it. The first reason stays. */
  end(reason: QmpError): void {
    this.#finish(reason, reason)
  }

  close(): Promise<void> {
    this.#finish(closedError(this.peer, 'the connection was closed on this side'), undefined)
    return this.#closing ?? Promise.resolve()
  }

  /** Why it is over, if it is. */
  get ended(): QmpError | undefined {
    return this.#end
  }

  #finish(end: QmpError, told: QmpError | undefined): void {
    if (this.#end) return
    if (this.#trace.on) this.#trace.closed(end)
    this.#end = end
    this.#habits.ended(end)
    this.pending.end(end)
    this.#closed.resolve(told)
    this.#closing = this.#port.close()
    this.#closing.catch(() => {}) // thrown to whoever calls close()
  }

  #data(bytes: Uint8Array): void {
    try {
      this.#lines.push(bytes, line => this.#line(line))
    } catch (failure) {
      if (!(failure instanceof QmpError)) throw failure
      this.end(failure)
    }
  }

  #line(line: string): void {
    if (this.#end || line === '') return
    const message = this.#decode(line)
    if (!message) return
    const reply = message.kind === 'value' || message.kind === 'refusal'
    if (reply && (message.id !== undefined || this.pending.expectsNameless)) {
      this.pending.settle(message)
      return
    }
    if (this.#trace.on) this.#trace.heard(message)
    this.#habits.hear(message)
  }

  #decode(line: string): Message | undefined {
    try {
      return decodeMessage(line)
    } catch (failure) {
      if (this.#trace.on) this.#trace.garbled(failure as QmpError)
      this.#habits.garbled(failure as QmpError)
      return undefined
    }
  }
}
