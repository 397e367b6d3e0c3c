import { durationText, type Port, type Queue, unlessAborted } from '../base/index.ts'
import { abortedError, closedError, QmpError } from './errors.ts'
import { EventListeners, type EventNameIn, type EventOf, eventShapes, type OnceOptions } from './events.ts'
import type { LineLimits } from './lines.ts'
import type { NameIn, Rest, ResultOf } from './qapi.ts'
import { monitorReplies } from './replies.ts'
import { type ConnectOptions, Session } from './session.ts'
import { take } from './takes.ts'
import type { Qmp, QmpSchema } from './versions.ts'
import type { Greeting, Message, QemuVersion, QmpEvent, Reply } from './wire.ts'

export type QmpState = 'greeting' | 'negotiating' | 'ready' | 'closed'

const after: Readonly<Record<QmpState, readonly QmpState[]>> = {
  greeting: ['negotiating', 'closed'],
  negotiating: ['ready', 'closed'],
  ready: ['closed'],
  closed: [],
}

/** The longest known answer, of `query-qmp-schema`, has 207 KB and 32,000 values; others are not as deep as ten. */
const lines: LineLimits = { length: 16 * 1024 * 1024, structure: { depth: 1024, values: 1_000_000 } }

export interface ExecuteOptions {
  /** After this time the command fails with QMP_TIMEOUT and the outcome `unknown`. */
  readonly timeoutMs?: number
  /**
   * At most one file descriptor, for `getfd` and `add-fd`. The caller keeps it, and can close it when the
   * reply is there.
   */
  readonly fds?: readonly number[]
  /** Runs out of band: ahead of all other commands, even while QEMU's main loop is blocked. */
  readonly oob?: boolean
  /** Aborts the command (QMP_ABORTED). When it was sent by then, its outcome is `unknown`: QEMU cannot be stopped. */
  readonly signal?: AbortSignal
}

/**
 * A client of a QEMU monitor (`-mon mode=control`).
 *
 * ```text
 *  greeting ──▶ negotiating ──▶ ready ──▶ closed        greeting     waiting for QEMU's greeting
 *      │             │                      ▲           negotiating  capabilities, then query-status
 *      └─────────────┴──────────────────────┘           closed       by close(), EOF, or a broken protocol
 * ```
 *
 * A greeting does not mean that QEMU is ready: a QEMU that its own sandbox is about to kill greets first.
 * At most eight commands are with QEMU, others wait in a queue. Events are received from the first byte on.
 *
 * `Version` gives the types of commands and events: {@link Qmp} for any QEMU, or {@link Qmp72} and the like for one.
 */
export class QmpClient<Version extends QmpSchema = Qmp> implements AsyncDisposable {
  readonly #session: Session
  readonly #listeners: EventListeners
  readonly #timeoutMs: number
  #state: QmpState = 'greeting'
  #greeting: Greeting | undefined
  #latestEvent: string | undefined
  #greeted: (greeting: Greeting) => void = () => {}
  /** Resolves when QEMU has answered `qmp_capabilities` and `query-status`. */
  readonly ready: Promise<void>

  constructor(port: Port, options: ConnectOptions = {}) {
    take('connect to QEMU', port, ['port', 'port'])
    take('connect to QEMU', options, 'connecting')
    const { peer = 'the QEMU monitor', clock } = options
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#session = new Session(port, {
      peer,
      protocol: 'monitor',
      clock,
      lines,
      replies: monitorReplies,
      message: message => this.#receive(message),
      malformed: failure => this.#session.end(failure),
      ended: reason => {
        this.#enter('closed')
        this.#listeners.end(reason)
      },
    })
    this.#listeners = new EventListeners(peer, this.#session.clock)
    this.#session.start()
    this.ready = this.#open(options.greeting)
    this.ready.catch(() => {}) // callers that await `ready` or `closed` get the failure
  }

  get state(): QmpState {
    return this.#state
  }

  /** Its name in error messages. */
  get peer(): string {
    return this.#session.peer
  }

  /** What QEMU has said of itself. */
  get greeting(): Greeting | undefined {
    return this.#greeting
  }

  /** QEMU's version, after its greeting. */
  get version(): QemuVersion | undefined {
    return this.#greeting?.version
  }

  /** What was last said on this monitor: `migrate-incoming without answer, the last event RESUME`. Kept after its end. */
  get lastExchange(): string | undefined {
    const { latest } = this.#session.pending
    const command = latest && `${latest.command} ${latest.answered ? 'answered' : 'without answer'}`
    const event = this.#latestEvent && `the last event ${this.#latestEvent}`
    return command && event ? `${command}, ${event}` : (command ?? event)
  }

  /**
   * Resolves when the monitor has closed, with the reason, or with undefined after {@link close}. Never
   * rejects.
   */
  get closed(): Promise<QmpError | undefined> {
    return this.#session.closed
  }

  /**
   * Runs a command and returns its result. Throws QMP_COMMAND with QEMU's words when QEMU refuses.
   *
   * ```ts
   * await client.execute('set_link', { name: 'nic0', up: false })
   * await client.execute('getfd', { fdname: 'state' }, { fds: [file.fd] })
   * ```
   */
  async execute<const Name extends NameIn<Version['commands']>>(
    command: Name,
    ...rest: Rest<Version['commands'], Name, ExecuteOptions>
  ): Promise<ResultOf<Version['commands'], Name>> {
    const [args, options = {}] = rest as [object?, ExecuteOptions?]
    const op = `execute ${take('execute', command, ['command', 'command'])}`
    take(op, args, ['arguments', 'arguments'])
    take(op, options, 'execute')
    if (this.#state !== 'closed' && this.#state !== 'ready')
      throw new QmpError({
        code: 'QMP_NOT_READY',
        kind: 'usage',
        command,
        outcome: 'unsent',
        target: this.#session.peer,
        reason: 'the monitor is not ready for commands yet',
        remedy: 'Await `ready` first',
      })
    checkFds(command, args, options.fds)
    if (options.oob && !this.#greeting?.capabilities.includes('oob')) throw noOob(command, this.#session.peer)
    return (await this.#ask(command, args, options)) as ResultOf<Version['commands'], Name>
  }

  /** Events as they arrive. The loop ends with the monitor. Beyond `limit` the oldest are dropped and counted. */
  events<const Name extends EventNameIn<Version['events']> = string>(
    filter?: Name | readonly Name[] | ((event: QmpEvent) => boolean),
    options: { readonly limit?: number } = {},
  ): Queue<EventOf<Name, Version['events']>> {
    take('listen for events', filter, ['events', 'filter'])
    const { limit = 1024 } = take('listen for events', options, 'listening')
    this.#mustBeOpen()
    return this.#listeners.listen(filter, limit)
  }

  /**
   * The next event that matches. Call it before you send the command that causes the event: events come
   * before replies. Rejects with the reason when the monitor closes first.
   */
  once<const Name extends EventNameIn<Version['events']>>(
    name: Name,
    filter: (event: EventOf<Name, Version['events']>) => boolean = () => true,
    options: OnceOptions = {},
  ): Promise<EventOf<Name, Version['events']>> {
    take('wait for event', name, ['text', 'name'])
    take('wait for event', filter, ['action', 'filter'])
    take('wait for event', options, 'once')
    this.#mustBeOpen()
    const wants = filter as (event: QmpEvent) => boolean
    return this.#listeners.once(name, wants, options) as Promise<EventOf<Name, Version['events']>>
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask(command: string, args?: object, { timeoutMs = this.#timeoutMs, ...how }: ExecuteOptions = {}) {
    return this.#session.ask({ command, args, timeoutMs, ...how })
  }

  /** `negotiated`: the greeting of a monitor whose capabilities others have negotiated. */
  async #open(negotiated: Greeting | undefined): Promise<void> {
    const greeting = negotiated ?? (await this.#greetingWithin(this.#timeoutMs))
    this.#enter('negotiating')
    this.#greeting = greeting
    const oob = greeting.capabilities.includes('oob') ? { enable: ['oob'] } : undefined
    try {
      if (!negotiated) await this.#ask('qmp_capabilities', oob)
      await this.#ask('query-status')
    } catch (failure) {
      this.#session.end(failure as QmpError)
      throw failure
    }
    this.#enter('ready')
  }

  #greetingWithin(ms: number): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      const cancel = this.#session.clock.after(ms, () => {
        const reason = `no greeting within ${durationText(ms)}`
        const remedy =
          'Make sure that no other client is connected to this monitor, and that it is in control mode'
        this.#session.end(
          new QmpError({ code: 'QMP_TIMEOUT', op: 'connect to', target: this.#session.peer, reason, remedy }),
        )
      })
      this.#greeted = greeting => {
        cancel()
        resolve(greeting)
      }
      void this.closed.then(() => {
        cancel()
        reject(this.#session.ended)
      })
    })
  }

  #receive(message: Message): void {
    if (message.kind === 'event') this.#emit(message.event)
    else if (message.kind === 'greeting') this.#greeted(message.greeting)
    else this.#session.end(strayReply(this.#session.peer, message))
  }

  #emit(event: QmpEvent): void {
    const check = Object.hasOwn(eventShapes, event.type) ? eventShapes[event.type] : undefined
    const wrong = check?.(event.data, 'data')
    this.#latestEvent = event.type
    if (wrong === undefined) this.#listeners.emit(event)
    else this.#session.end(badEvent(this.#session.peer, event.type, wrong))
  }

  #mustBeOpen(): void {
    if (this.#session.ended)
      throw closedError(this.#session.peer, this.#session.ended.reason, this.#session.ended)
  }

  #enter(next: QmpState): void {
    if (!after[this.#state].includes(next)) throw new Error(`QMP client: ${this.#state} → ${next}`)
    this.#state = next
  }
}

/** Connects to a monitor. Resolves when it is ready for commands; after a failure it leaves nothing open. */
export async function connectQmp<Version extends QmpSchema = Qmp>(
  port: Port,
  options: ConnectOptions = {},
): Promise<QmpClient<Version>> {
  const client = new QmpClient<Version>(port, options)
  try {
    await unlessAborted(client.ready, options.signal, cause =>
      abortedError({ op: 'connect to', target: client.peer }, cause),
    )
    return client
  } catch (failure) {
    await client.close()
    throw failure
  }
}

/** QEMU accepts one descriptor with a message, and takes a name that starts with a digit for a number. */
function checkFds(command: string, args: object | undefined, fds: readonly number[] = []): void {
  const name = args && 'fdname' in args ? String(args.fdname) : 'fd'
  let reason: string | undefined
  if (fds.length > 1) reason = `QEMU accepts one file descriptor with a command, not ${fds.length}`
  else if (command === 'getfd' && fds.length === 0) reason = 'getfd needs a file descriptor'
  else if (/^\d|^$/.test(name))
    reason = `'${name}' cannot be the name of a descriptor: it must not start with a digit`
  if (reason) throw new QmpError({ code: 'QMP_BAD_FD', kind: 'usage', command, outcome: 'unsent', reason })
}

/** A reply without id that belongs to no command: from now on replies could be matched to wrong commands. */
function strayReply(target: string, message: Reply): QmpError {
  const said = message.kind === 'refusal' ? `: ${message.reason}` : ''
  const reason = `it sent a reply that belongs to no command${said}`
  return new QmpError({ code: 'QMP_UNREADABLE', op: 'talk to', target, reason })
}

function badEvent(target: string, name: string, wrong: string): QmpError {
  const reason = `its event ${name} is wrong: ${wrong}`
  return new QmpError({ code: 'QMP_MALFORMED', op: 'read events of', target, reason })
}

function noOob(command: string, target: string): QmpError {
  const reason = 'QEMU does not offer out-of-band execution on this monitor'
  return new QmpError({ code: 'QMP_NO_OOB', kind: 'usage', command, target, outcome: 'unsent', reason })
}
