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
  /** Sent at once, past the window and its queue, as an ordinary command. */
  readonly first?: boolean
}

interface Flying {
  readonly ask: Ask
  readonly args: string | undefined
  readonly result: Deferred<unknown>
  /** In the window, so that QEMU's own queue (8 long) never fills: a full one would stop out-of-band too. */
  readonly counted: boolean
  sent: boolean
  /** When it was sent, by the clock; only while it is traced. */
  sentAt: number | undefined
  /** The one who asked has given up. The id stays taken until the reply comes. */
  given: boolean
  callOff: () => void
}

export interface PendingOptions {
  readonly peer: string
  readonly trace: SessionTrace
  readonly clock: Clock
  readonly send: (text: string, fds: readonly number[] | undefined) => void
  readonly window?: number
  /** Give every command an id, even one that flies alone. */
  readonly alwaysId?: boolean
}

/**
 * Commands on their way and who waits for them. At most `window` are in the air, the rest queue in order.
 *
 * Replies are matched by id. A command that leaves while no other without an id is in the air goes without
 * one: the reply without an id is its, and the 7 bytes saved are a fifth of the time of `query-status`.
 */
export class PendingCommands {
  readonly #options: PendingOptions
  readonly #window: number
  readonly #air = new Map<number | undefined, Flying>()
  readonly #queue: Flying[] = []
  #counted = 0
  #id = 0

  constructor(options: PendingOptions) {
    this.#options = options
    this.#window = options.window ?? 8
  }

  /** Throws at once when the arguments do not go into JSON. */
  ask(ask: Ask): Promise<unknown> {
    const counted = !ask.oob && !ask.first
    const args = ask.args && encodeArguments(ask.command, ask.args)
    const flying: Flying = {
      ask,
      args,
      result: defer(),
      counted,
      sent: false,
      sentAt: undefined,
      given: false,
      callOff: () => {},
    }
    flying.callOff = this.#options.clock.after(ask.timeoutMs, () => this.#expire(flying))
    if (counted && (this.#counted >= this.#window || this.#queue.length > 0)) this.#queue.push(flying)
    else this.#launch(flying)
    return flying.result.promise
  }

  /** A reply. Nobody waits for a late one, or for one to something we never sent: both are dropped. */
  settle(message: Reply): void {
    const id = message.id as number | undefined
    const flying = this.#air.get(id)
    if (this.#options.trace.on) this.#tellReply(message, flying)
    if (!flying) return
    this.#remove(id, flying)
    if (!flying.given) {
      flying.callOff()
      if (message.kind === 'value') flying.result.resolve(message.value)
      else flying.result.reject(this.#refused(flying, message))
    }
    this.#pump()
  }

  /** True when a reply without an id is expected. */
  get expectsNameless(): boolean {
    return this.#air.has(undefined)
  }

  /**
   * An error reply without an id that no command explains: the other side could not read something of ours.
   * Commands in band are answered in order, so it is the oldest; what it did is not certain.
   */
  unreadable(reason: string): void {
    const oldest = [...this.#air].find(([, flying]) => flying.counted)
    if (!oldest) return
    const [id, flying] = oldest
    this.#remove(id, flying)
    if (!flying.given) this.#reject(flying, { code: 'QMP_UNREADABLE', reason })
    this.#pump()
  }

  /** What is in the air now, for {@link abandon}. */
  waiting(): ReadonlySet<unknown> {
    return new Set(this.#air.values())
  }

  /** For those that cannot be answered any more: frees their places, and tells who still waits. */
  abandon(lost: ReadonlySet<unknown>): void {
    for (const [id, flying] of this.#air) {
      if (!lost.has(flying)) continue
      this.#remove(id, flying)
      const reason = 'it has answered what was asked later, and not this (was it restarted?)'
      if (!flying.given) this.#reject(flying, { code: 'AGENT_FORGOT', reason })
    }
    this.#pump()
  }

  /** Rejects all that wait, each with its own command's name. */
  end(reason: QmpError): void {
    const lost = [...this.#air.values(), ...this.#queue]
    this.#air.clear()
    this.#queue.length = 0
    for (const flying of lost) {
      if (flying.given) continue
      flying.callOff()
      flying.result.reject(lostError(reason, flying.ask.command, flying.sent ? 'unknown' : 'unsent'))
    }
  }

  #pump(): void {
    while (this.#counted < this.#window) {
      const next = this.#queue.shift()
      if (!next) return
      this.#launch(next)
    }
  }

  #launch(flying: Flying): void {
    const { command, oob = false, first, fds } = flying.ask
    const named = oob || first || this.#options.alwaysId || this.#air.has(undefined)
    const id = named ? this.#nextId() : undefined
    if (this.#options.trace.on) this.#tellCommand(flying, id)
    this.#air.set(id, flying)
    if (flying.counted) this.#counted++
    flying.sent = true
    this.#options.send(encodeRequest({ command, args: flying.args, id, oob }), fds)
  }

  #tellCommand(flying: Flying, id: number | undefined): void {
    flying.sentAt = this.#options.clock.now()
    this.#options.trace.sent({ ...flying.ask, id })
  }

  #tellReply(message: Reply, flying: Flying | undefined): void {
    const { clock, trace } = this.#options
    const sentAt = flying?.sentAt
    const ms = sentAt === undefined ? {} : { ms: clock.now() - sentAt }
    trace.replied(message, flying && { command: flying.ask.command, ...ms })
  }

  /** Short, and not one that a late reply could still bear. */
  #nextId(): number {
    do this.#id = (this.#id % 999) + 1
    while (this.#air.has(this.#id))
    return this.#id
  }

  #remove(id: number | undefined, flying: Flying): void {
    this.#air.delete(id)
    if (flying.counted) this.#counted--
  }

  #expire(flying: Flying): void {
    flying.given = true
    const queued = this.#queue.indexOf(flying)
    if (queued >= 0) this.#queue.splice(queued, 1)
    const { command, timeoutMs } = flying.ask
    if (this.#options.trace.on) this.#options.trace.expired(command, timeoutMs)
    const reason = `no answer within ${timeoutMs} ms`
    this.#reject(flying, { code: 'QMP_TIMEOUT', reason })
  }

  #reject(flying: Flying, why: { code: string; reason: string }): void {
    flying.callOff()
    const outcome = flying.sent ? 'unknown' : 'unsent'
    const { command } = flying.ask
    flying.result.reject(new QmpError({ ...why, target: this.#options.peer, command, outcome }))
  }

  #refused(flying: Flying, { errorClass, reason }: { errorClass: string; reason: string }): QmpError {
    const { command } = flying.ask
    return new QmpError({ code: 'QMP_COMMAND', target: this.#options.peer, reason, command, errorClass })
  }
}
