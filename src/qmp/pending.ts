import { type Clock, type Deferred, defer, durationText, onAbort } from '../base/index.ts'
import { abortedError, lostError, QmpError } from './errors.ts'
import type { SessionTrace } from './trace.ts'
import { checkCommand, encodeArguments, encodeRequest, type Reply } from './wire.ts'

export interface Ask {
  readonly command: string
  readonly args?: object | undefined
  readonly fds?: readonly number[] | undefined
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Bytes of the longest reply that can be expected, where that differs from its command's. */
  readonly longestReply?: number | undefined
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
  answered: boolean
  id: number | undefined
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
  /** Returns the failure when nothing was sent because a descriptor cannot be; the connection goes on. */
  readonly send: (text: string, fds: readonly number[] | undefined) => QmpError | undefined
  readonly window?: number
  /** Give every command an id, even one that is alone in flight. */
  readonly alwaysId?: boolean
}

/**
 * Commands in flight, and their callers. At most `window` are in flight; the others queue in order.
 *
 * Replies are matched by id. A command that is alone in flight and has no arguments goes without one: the reply
 * without an id is its own. The 7 bytes saved are a fifth of the time of `query-status`. QEMU answers what it cannot
 * parse without an id, and only arguments can be that.
 *
 * A command with a descriptor is sent when all others are answered, without a line end, and nothing follows
 * before its reply. QEMU up to 10.0 reads the socket in one thread and takes the descriptor in another; a
 * byte that arrives between the two lets them use it at once (`chardev/char-socket.c`).
 */
export class PendingCommands {
  readonly #options: PendingOptions
  readonly #window: number
  readonly #inFlight = new Map<number | undefined, InFlight>()
  readonly #queue: InFlight[] = []
  /** A command with a descriptor, from when it is sent until it is answered. */
  #alone: InFlight | undefined
  #latest: InFlight | undefined
  #counted = 0
  #id = 0

  constructor(options: PendingOptions) {
    this.#options = options
    this.#window = options.window ?? 8
  }

  /** Throws at once when the command or its arguments cannot be encoded as JSON that QEMU reads. */
  ask(ask: Ask): Promise<unknown> {
    const counted = !ask.oob && !ask.first
    const { command, signal } = ask
    if (signal?.aborted) throw abortedError({ command, target: this.#options.peer }, signal.reason)
    checkCommand(ask.command)
    const args = ask.args && encodeArguments(ask.command, ask.args)
    const entry: InFlight = {
      ask,
      args,
      result: defer(),
      counted,
      sent: false,
      answered: false,
      id: undefined,
      sentAt: undefined,
      abandoned: false,
      cancel: () => {},
    }
    const cancelTimer = this.#options.clock.after(ask.timeoutMs, () => this.#expire(entry))
    const leave = onAbort(signal, () => this.#abort(entry))
    entry.cancel = () => {
      cancelTimer()
      leave()
    }
    const isNext = !counted || this.#queue.length === 0
    if (isNext && this.#maySend(entry)) this.#send(entry)
    else this.#enqueue(entry)
    return entry.result.promise
  }

  /**
   * Takes a reply. A late reply, and one to a command that was never sent, are dropped. Returns false for the latter:
   * nothing had asked for it.
   */
  settle(message: Reply): boolean {
    const id = message.id as number | undefined
    const entry = this.#inFlight.get(id)
    if (this.#options.trace.on) this.#traceReply(message, entry)
    if (!entry) return false
    entry.answered = true
    this.#remove(id, entry)
    if (!entry.abandoned) {
      entry.cancel()
      if (message.kind === 'value') entry.result.resolve(message.value)
      else entry.result.reject(this.#refused(entry, message))
    }
    this.#pump()
    return true
  }

  /** The commands that have no reply, also those whose callers have given up. */
  get asked(): Ask[] {
    return Array.from(this.#inFlight.values(), ({ ask }) => ask)
  }

  /** The command that was sent last, for the report of a QEMU that died. */
  get latest(): { readonly command: string; readonly answered: boolean } | undefined {
    return this.#latest && { command: this.#latest.ask.command, answered: this.#latest.answered }
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

  #maySend({ ask, counted }: InFlight): boolean {
    if (this.#alone) return false
    if (hasFds(ask)) return this.#inFlight.size === 0
    return !counted || this.#counted < this.#window
  }

  /** Those that do not count for the window stay ahead of those that do. */
  #enqueue(entry: InFlight): void {
    const behind = entry.counted ? -1 : this.#queue.findIndex(({ counted }) => counted)
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, entry)
  }

  #pump(): void {
    for (let next = this.#queue[0]; next && this.#maySend(next); next = this.#queue[0]) {
      this.#queue.shift()
      this.#send(next)
    }
  }

  #send(entry: InFlight): void {
    const { command, oob = false, first, fds } = entry.ask
    const named =
      oob || first || this.#options.alwaysId || entry.args !== undefined || this.#inFlight.size > 0
    const id = named ? this.#nextId() : undefined
    if (this.#options.trace.on) this.#traceCommand(entry, id)
    entry.id = id
    this.#inFlight.set(id, entry)
    if (entry.counted) this.#counted++
    if (hasFds(entry.ask)) this.#alone = entry
    entry.sent = true
    this.#latest = entry
    const lineEnd = this.#alone ? '' : '\n'
    const refused = this.#options.send(encodeRequest({ command, args: entry.args, id, oob }) + lineEnd, fds)
    if (refused) this.#takeBack(entry, refused)
  }

  #takeBack(entry: InFlight, reason: QmpError): void {
    entry.cancel()
    this.#remove(entry.id, entry)
    entry.result.reject(lostError(reason, entry.ask.command, 'unsent'))
    this.#pump()
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

  /** Short, and not an id that a late reply could still have. There is always a free one. */
  #nextId(): number {
    const most = Math.max(999, 2 * this.#inFlight.size)
    do this.#id = (this.#id % most) + 1
    while (this.#inFlight.has(this.#id))
    return this.#id
  }

  #remove(id: number | undefined, entry: InFlight): void {
    this.#inFlight.delete(id)
    if (entry.counted) this.#counted--
    if (this.#alone === entry) this.#alone = undefined
  }

  #expire(entry: InFlight): void {
    const { command, timeoutMs } = entry.ask
    if (this.#options.trace.on) this.#options.trace.expired(command, timeoutMs)
    this.#reject(entry, { code: 'QMP_TIMEOUT', reason: `no answer within ${durationText(timeoutMs)}` })
    this.#leave(entry)
  }

  #abort(entry: InFlight): void {
    const { command, signal } = entry.ask
    entry.cancel()
    if (this.#options.trace.on) this.#options.trace.aborted(command)
    entry.result.reject(abortedError({ command, target: this.#options.peer }, signal?.reason, entry.sent))
    this.#leave(entry)
  }

  /** Its caller has gone. */
  #leave(entry: InFlight): void {
    entry.abandoned = true
    const queued = this.#queue.indexOf(entry)
    if (queued >= 0) this.#queue.splice(queued, 1)
    // Without a place in the window to free, it need not be remembered: a silent peer would make us collect them.
    if (entry.sent && !entry.counted && this.#alone !== entry) this.#remove(entry.id, entry)
    this.#pump() // it may have been what the others waited for
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

function hasFds({ fds = [] }: Ask): boolean {
  return fds.length > 0
}
