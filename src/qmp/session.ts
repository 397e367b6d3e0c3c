import { closeSync } from 'node:fs'
import { type Clock, defer, messageOf, type Port, systemClock } from '../base/index.ts'
import { closedError, lostError, QmpError } from './errors.ts'
import { LineAssembler } from './lines.ts'
import { type Ask, PendingCommands } from './pending.ts'
import { SessionTrace } from './trace.ts'
import { decodeMessage, type Message } from './wire.ts'

/** Options of both clients, of a monitor and of a guest agent. */
export interface ConnectOptions {
  /** The name of the peer, for error messages: `vm-003`. */
  readonly peer?: string
  /** The time limit for the greeting, and for each answer unless its call sets another. */
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
  /** Takes every message that is not a reply to a command. */
  message(message: Message): void
  /** Takes the failure for a line that is not a message. */
  malformed(failure: QmpError): void
  /** The session has ended. Called once, before any command is rejected. */
  ended(reason: QmpError): void
}

/** Sends commands and receives replies over one port: the common part of QMP and the guest agent's protocol. */
export class Session {
  readonly peer: string
  readonly clock: Clock
  readonly pending: PendingCommands
  readonly #port: Port
  readonly #lines: LineAssembler
  readonly #options: SessionOptions
  readonly #trace: SessionTrace
  readonly #closed = defer<QmpError | undefined>()
  #end: QmpError | undefined
  #closing: Promise<void> | undefined

  constructor(port: Port, options: SessionOptions) {
    this.peer = options.peer
    this.clock = options.clock ?? systemClock
    this.#port = port
    this.#options = options
    this.#lines = new LineAssembler(options.maxLine)
    this.#trace = new SessionTrace(`${options.peer} ${options.protocol}`)
    this.pending = new PendingCommands({
      peer: this.peer,
      trace: this.#trace,
      clock: this.clock,
      alwaysId: options.alwaysId ?? false,
      send: (text, fds) => this.send(Buffer.from(text), fds),
    })
  }

  /** Starts receiving. It is separate from the constructor, so that the receiver of messages exists first. */
  start(): void {
    this.#port.receive({
      data: (bytes, fds = []) => {
        // No command asks for descriptors; a hostile QEMU could use up this process's limit with them.
        for (const fd of fds) closeSync(fd)
        this.#data(bytes)
      },
      end: failure => {
        const reason = failure ? messageOf(failure) : 'it closed the connection'
        this.end(closedError(this.peer, reason, failure))
      },
    })
  }

  /** Resolves with the reason when the session has ended, or with undefined after {@link close}. */
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

  /** Ends the session for a reason, with which all pending commands are rejected. The first reason stays. */
  end(reason: QmpError): void {
    this.#finish(reason, reason)
  }

  close(): Promise<void> {
    this.#finish(closedError(this.peer, 'the client closed the connection'), undefined)
    return this.#closing ?? Promise.resolve()
  }

  /** Why the session has ended, if it has. */
  get ended(): QmpError | undefined {
    return this.#end
  }

  #finish(end: QmpError, result: QmpError | undefined): void {
    if (this.#end) return
    if (this.#trace.on) this.#trace.closed(end)
    this.#end = end
    this.#options.ended(end)
    this.pending.end(end)
    this.#closed.resolve(result)
    this.#closing = this.#port.close()
    this.#closing.catch(() => {}) // callers of close() get it
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
    this.#options.message(message)
  }

  #decode(line: string): Message | undefined {
    try {
      return decodeMessage(line)
    } catch (failure) {
      if (this.#trace.on) this.#trace.garbled(failure as QmpError)
      this.#options.malformed(failure as QmpError)
      return undefined
    }
  }
}
