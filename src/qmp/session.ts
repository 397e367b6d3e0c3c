import {
  Allowance,
  type Clock,
  defer,
  messageOf,
  type Port,
  systemClock,
  XclusterError,
} from '../base/index.ts'
import { closeFd } from '../sys/index.ts'
import { closedError, floodError, lostError, QmpError } from './errors.ts'
import { LineAssembler, type LineLimits } from './lines.ts'
import { type Ask, PendingCommands } from './pending.ts'
import { checkedReply, type Replies } from './replies.ts'
import { SessionTrace } from './trace.ts'
import { decodeMessage, type Greeting, type Message } from './wire.ts'

/** Options of both clients, of a monitor and of a guest agent. */
export interface ConnectOptions {
  /** The name of the peer, for error messages: `vm-003`. */
  readonly peer?: string
  /** The time limit for the greeting, and for each answer unless its call sets another. */
  readonly timeoutMs?: number
  /** Aborts connecting (QMP_ABORTED). Afterwards it has no meaning: `close()` ends the connection. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** For a monitor that greeted another client, which negotiated its capabilities: {@link QmpClient.greeting} of that. */
  readonly greeting?: Greeting
}

interface SessionOptions {
  readonly peer: string
  /** Which of a VM's two protocols it is, for traces. */
  readonly protocol: 'monitor' | 'agent'
  readonly clock?: Clock | undefined
  readonly lines: LineLimits
  /** The shapes of results that are checked. */
  readonly replies: Replies
  /** Bytes that may come without being asked for: at most, and more each second. Absent: any number (events). */
  readonly unasked?: { readonly most: number; readonly perSecond: number }
  readonly alwaysId?: boolean
  /** How many commands are in flight at a time; {@link PendingCommands} has the default. */
  readonly window?: number
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
  readonly #unasked: Allowance | undefined
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
    this.#lines = new LineAssembler(options.lines)
    this.#unasked = options.unasked && new Allowance({ clock: this.clock, ...options.unasked })
    this.#trace = new SessionTrace(`${options.peer} ${options.protocol}`)
    this.pending = new PendingCommands({
      peer: this.peer,
      trace: this.#trace,
      clock: this.clock,
      alwaysId: options.alwaysId ?? false,
      ...(options.window !== undefined && { window: options.window }),
      send: (text, fds) => this.send(Buffer.from(text), fds),
    })
  }

  /** Starts receiving. It is separate from the constructor, so that the receiver of messages exists first. */
  start(): void {
    this.#port.receive({
      data: (bytes, fds = []) => {
        // No command asks for descriptors; a hostile QEMU could use up this process's limit with them.
        for (const fd of fds) closeFd(fd)
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

  async ask(ask: Ask): Promise<unknown> {
    const { command } = ask
    if (this.#end) throw lostError(this.#end, command, 'unsent')
    const value = await this.pending.ask(ask)
    return checkedReply(value, { command, peer: this.peer, replies: this.#options.replies })
  }

  /** Drops the line that has begun to arrive, and the rest of it. */
  skipLine(): void {
    this.#lines.dropLine()
  }

  /** Ends the session when it fails, unless a descriptor is at fault: nothing was sent then. */
  send(bytes: Uint8Array, fds: readonly number[] = []): QmpError | undefined {
    try {
      this.#port.send(bytes, fds.length > 0 ? fds : undefined)
    } catch (failure) {
      if (fds.length > 0 && isBadDescriptor(failure)) return badFd(fds, failure)
      if (failure instanceof XclusterError && failure.code === 'NO_DESCRIPTORS') return noFds(failure)
      this.end(closedError(this.peer, messageOf(failure), failure))
    }
    return undefined
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
    if (this.#end) return
    const message = line === '' ? undefined : this.#decode(line)
    const reply = message?.kind === 'value' || message?.kind === 'refusal'
    if (reply && (message.id !== undefined || this.pending.expectsNameless)) {
      if (!this.pending.settle(message)) this.#countUnasked(line)
      return
    }
    this.#countUnasked(line)
    if (!message || this.#end) return
    if (this.#trace.on) this.#trace.heard(message)
    this.#options.message(message)
  }

  /** Even an empty line costs this process as much as some bytes. */
  #countUnasked(line: string): void {
    if (!this.#unasked || this.#unasked.use(line.length + 16) >= 0) return
    this.end(floodError(this.peer))
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

function isBadDescriptor(failure: unknown): boolean {
  return failure instanceof Error && 'errnoName' in failure && failure.errnoName === 'EBADF'
}

function badFd(fds: readonly number[], cause: unknown): QmpError {
  const reason = `descriptor ${fds.join(', ')} is not open in this process`
  return new QmpError({ code: 'QMP_BAD_FD', kind: 'usage', reason, cause })
}

function noFds(cause: XclusterError): QmpError {
  const { reason, remedy } = cause
  const todo = remedy === undefined ? {} : { remedy }
  return new QmpError({ code: 'QMP_BAD_FD', kind: 'usage', reason, ...todo, cause })
}
