import type { Port, Queue } from '../base/index.ts'
import type { NameIn, QmpCommands, Rest, ResultOf } from './commands.ts'
import { closedError, QmpError } from './errors.ts'
import { type EventFilter, EventListeners, type EventOf } from './events.ts'
import { type ConnectOptions, Session } from './session.ts'
import type { Greeting, Message, QemuVersion, QmpEvent } from './wire.ts'

export type QmpState = 'greeting' | 'negotiating' | 'ready' | 'closed'

const after: Readonly<Record<QmpState, readonly QmpState[]>> = {
  greeting: ['negotiating', 'closed'],
  negotiating: ['ready', 'closed'],
  ready: ['closed'],
  closed: [],
}

/** The longest known answer, of `query-qmp-schema`, has 207 KB. */
const maxLine = 16 * 1024 * 1024

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
 */
export class QmpClient implements AsyncDisposable {
  readonly #session: Session
  readonly #listeners: EventListeners
  readonly #timeoutMs: number
  #state: QmpState = 'greeting'
  #greeting: Greeting | undefined
  #greeted: (greeting: Greeting) => void = () => {}
  /** Resolves when QEMU has answered `qmp_capabilities` and `query-status`. */
  readonly ready: Promise<void>

  constructor(port: Port, options: ConnectOptions = {}) {
    const { peer = 'the QEMU monitor', clock } = options
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#session = new Session(port, {
      peer,
      protocol: 'monitor',
      clock,
      maxLine,
      message: message => this.#receive(message),
      malformed: failure => this.#session.end(failure),
      ended: reason => {
        this.#enter('closed')
        this.#listeners.end(reason)
      },
    })
    this.#listeners = new EventListeners(peer, this.#session.clock)
    this.ready = this.#open()
    this.ready.catch(() => {}) // callers that await `ready` or `closed` get the failure
    this.#session.start()
  }

  get state(): QmpState {
    return this.#state
  }

  /** QEMU's version, after its greeting. */
  get version(): QemuVersion | undefined {
    return this.#greeting?.version
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
  async execute<const Name extends NameIn<QmpCommands>>(
    command: Name,
    ...rest: Rest<QmpCommands, Name, ExecuteOptions>
  ): Promise<ResultOf<QmpCommands, Name>> {
    const [args, options = {}] = rest as [object?, ExecuteOptions?]
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
    return (await this.#ask(command, args, options)) as ResultOf<QmpCommands, Name>
  }

  /** Events as they arrive. The loop ends with the monitor. Beyond `limit` the oldest are dropped and counted. */
  events<const Name extends string>(
    filter: Name | readonly Name[],
    options?: { limit?: number },
  ): Queue<EventOf<Name>>
  events(filter?: EventFilter, options?: { limit?: number }): Queue<QmpEvent>
  events(filter?: EventFilter, { limit = 1024 }: { limit?: number } = {}): Queue<QmpEvent> {
    this.#mustBeOpen()
    return this.#listeners.listen(filter, limit)
  }

  /**
   * The next event that matches. Call it before you send the command that causes the event: events come
   * before replies. Rejects with the reason when the monitor closes first.
   */
  once<const Name extends string>(
    name: Name,
    filter: (event: EventOf<Name>) => boolean = () => true,
    options: { timeoutMs?: number } = {},
  ): Promise<EventOf<Name>> {
    this.#mustBeOpen()
    const wants = filter as (event: QmpEvent) => boolean
    return this.#listeners.once(name, wants, options.timeoutMs) as Promise<EventOf<Name>>
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

  async #open(): Promise<void> {
    const greeting = await this.#greetingWithin(this.#timeoutMs)
    this.#enter('negotiating')
    this.#greeting = greeting
    const oob = greeting.capabilities.includes('oob') ? { enable: ['oob'] } : undefined
    try {
      await this.#ask('qmp_capabilities', oob)
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
        const reason = `no greeting within ${ms} ms`
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
    if (message.kind === 'event') this.#listeners.emit(message.event)
    else if (message.kind === 'greeting') this.#greeted(message.greeting)
    else if (message.kind === 'refusal') this.#session.pending.unreadable(message.reason)
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
export async function connectQmp(port: Port, options?: ConnectOptions): Promise<QmpClient> {
  const client = new QmpClient(port, options)
  await client.ready
  return client
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

function noOob(command: string, target: string): QmpError {
  const reason = 'QEMU does not offer out-of-band execution on this monitor'
  return new QmpError({ code: 'QMP_NO_OOB', kind: 'usage', command, target, outcome: 'unsent', reason })
}
