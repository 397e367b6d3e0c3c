import { type Clock, type Deferred, defer } from '../base/index.ts'
import { lostError, QmpError } from './errors.ts'
import type { SessionTrace } from './trace.ts'
import { encodeArguments, encodeRequest, type Reply } from './wire.ts'

export interface Ask {
  readonly command: string
  readonly args?: object | undefined
  readonly fds?: readonly number[] | undefined
  readonly timeoutMs: number
  /** Out of band: sent at once, as `exec-oob`. */
  readonly oob?: boolean
  /** Sent at once, ahead of the window and its queue, as an ordinary command. */
  readonly first?: boolean
}

interface InFlight {
  readonly ask: Ask
  readonly args: string | undefined
  readonly result: Deferred<unknown>
  /**
   * Counts for the window, which keeps QEMU's own queue (8 long) from filling: a full one would stop
   * out-of-band commands too.
   */
  readonly counted: boolean
  sent: boolean
  /** When it was sent, by the clock; only while it is traced. */
  sentAt: number | undefined
  /** True when the caller has given up. The id stays in use until the reply comes. */
  abandoned: boolean
  cancel: () => void
}

export interface PendingOptions {
  readonly peer: string
  readonly trace: SessionTrace
  readonly clock: Clock
  readonly send: (text: string, fds: readonly number[] | undefined) => void
  readonly window?: number
  /** Give every command an id, even one that is alone in flight. */
  readonly alwaysId?: boolean
}

/**
 * Commands in flight, and their callers. At most `window` are in flight; the others queue in order.
 *
 * Replies are matched by id. A command that is sent while every other one in flight has an id goes without
 * one: the reply without an id is its own. The 7 bytes saved are a fifth of the time of `query-status`.
 */
export class PendingCommands {
  readonly #options: PendingOptions
  readonly #window: number
  readonly #inFlight = new Map<number | undefined, InFlight>()
  readonly #queue: InFlight[] = []
  #counted = 0
  #id = 0

  constructor(options: PendingOptions) {
    this.#options = options
    this.#window = options.window ?? 8
  }

  /** Throws at once when the arguments cannot be encoded as JSON. */
  ask(ask: Ask): Promise<unknown> {
    const counted = !ask.oob && !ask.first
    const args = ask.args && encodeArguments(ask.command, ask.args)
    const entry: InFlight = {
      ask,
      args,
      result: defer(),
      counted,
      sent: false,
      sentAt: undefined,
      abandoned: false,
      cancel: () => {},
    }
    entry.cancel = this.#options.clock.after(ask.timeoutMs, () => this.#expire(entry))
    if (counted && (this.#counted >= this.#window || this.#queue.length > 0)) this.#queue.push(entry)
    else this.#send(entry)
    return entry.result.promise
  }

  /** Takes a reply. A late reply, and one to a command that was never sent, are dropped. */
  settle(message: Reply): void {
    const id = message.id as number | undefined
    const entry = this.#inFlight.get(id)
    if (this.#options.trace.on) this.#traceReply(message, entry)
    if (!entry) return
    this.#remove(id, entry)
    if (!entry.abandoned) {
      entry.cancel()
      if (message.kind === 'value') entry.result.resolve(message.value)
      else entry.result.reject(this.#refused(entry, message))
    }
    this.#pump()
  }

  /** True when a reply without an id is expected. */
  get expectsNameless(): boolean {
    return this.#inFlight.has(undefined)
  }

  /**
   * Takes an error reply without an id that belongs to no command: the peer could not read something that was
   * sent. Commands in band are answered in order, so it was the oldest; its outcome is unknown.
   */
  unreadable(reason: string): void {
    const oldest = [...this.#inFlight].find(([, entry]) => entry.counted)
    if (!oldest) return
    const [id, entry] = oldest
    this.#remove(id, entry)
    if (!entry.abandoned) this.#reject(entry, { code: 'QMP_UNREADABLE', reason })
    this.#pump()
  }

  /** The commands in flight now, for {@link abandon}. */
  waiting(): ReadonlySet<unknown> {
    return new Set(this.#inFlight.values())
  }

  /** Rejects commands that can no longer be answered, and frees their places in the window. */
  abandon(lost: ReadonlySet<unknown>): void {
    for (const [id, entry] of this.#inFlight) {
      if (!lost.has(entry)) continue
      this.#remove(id, entry)
      const reason = 'it has answered a later command, and not this one (was it restarted?)'
      if (!entry.abandoned) this.#reject(entry, { code: 'AGENT_FORGOT', reason })
    }
    this.#pump()
  }

  /** Rejects all commands, each with its own name. */
  end(reason: QmpError): void {
    const lost = [...this.#inFlight.values(), ...this.#queue]
    this.#inFlight.clear()
    this.#queue.length = 0
    for (const entry of lost) {
      if (entry.abandoned) continue
      entry.cancel()
      entry.result.reject(lostError(reason, entry.ask.command, entry.sent ? 'unknown' : 'unsent'))
    }
  }

  #pump(): void {
    while (this.#counted < this.#window) {
      const next = this.#queue.shift()
      if (!next) return
      this.#send(next)
    }
  }

  #send(entry: InFlight): void {
    const { command, oob = false, first, fds } = entry.ask
    const named = oob || first || this.#options.alwaysId || this.#inFlight.has(undefined)
    const id = named ? this.#nextId() : undefined
    if (this.#options.trace.on) this.#traceCommand(entry, id)
    this.#inFlight.set(id, entry)
    if (entry.counted) this.#counted++
    entry.sent = true
    this.#options.send(encodeRequest({ command, args: entry.args, id, oob }), fds)
  }

  #traceCommand(entry: InFlight, id: number | undefined): void {
    entry.sentAt = this.#options.clock.now()
    this.#options.trace.sent({ ...entry.ask, id })
  }

  #traceReply(message: Reply, entry: InFlight | undefined): void {
    const { clock, trace } = this.#options
    const sentAt = entry?.sentAt
    const ms = sentAt === undefined ? {} : { ms: clock.now() - sentAt }
    trace.replied(message, entry && { command: entry.ask.command, ...ms })
  }

  /** Short, and not an id that a late reply could still have. */
  #nextId(): number {
    do this.#id = (this.#id % 999) + 1
    while (this.#inFlight.has(this.#id))
    return this.#id
  }

  #remove(id: number | undefined, entry: InFlight): void {
    this.#inFlight.delete(id)
    if (entry.counted) this.#counted--
  }

  #expire(entry: InFlight): void {
    entry.abandoned = true
    const queued = this.#queue.indexOf(entry)
    if (queued >= 0) this.#queue.splice(queued, 1)
    const { command, timeoutMs } = entry.ask
    if (this.#options.trace.on) this.#options.trace.expired(command, timeoutMs)
    const reason = `no answer within ${timeoutMs} ms`
    this.#reject(entry, { code: 'QMP_TIMEOUT', reason })
  }

  #reject(entry: InFlight, why: { code: string; reason: string }): void {
    entry.cancel()
    const outcome = entry.sent ? 'unknown' : 'unsent'
    const { command } = entry.ask
    entry.result.reject(new QmpError({ ...why, target: this.#options.peer, command, outcome }))
  }

  #refused(entry: InFlight, { errorClass, reason }: { errorClass: string; reason: string }): QmpError {
    const { command } = entry.ask
    return new QmpError({ code: 'QMP_COMMAND', target: this.#options.peer, reason, command, errorClass })
  }
}
