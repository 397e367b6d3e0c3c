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

/** `query-qmp-schema`, the longest answer known, has 207 KB. */
const maxLine = 16 * 1024 * 1024

export interface ExecuteOptions {
  /** After this long the command is given up: QMP_TIMEOUT, with the outcome `unknown`. */
  readonly timeoutMs?: number
  /** At most one file descriptor, for `getfd` and `add-fd`. It stays ours: close it once the reply is here. */
  readonly fds?: readonly number[]
  /** Run out of band: past all other commands, even while QEMU's main loop is blocked. */
  readonly oob?: boolean
}

/**
 * A client of a QEMU monitor (`-mon mode=control`).
 *
 * ```text
 *  greeting ──▶ negotiating ──▶ ready ──▶ closed        greeting     QEMU has not said who it is
 *      │             │                      ▲           negotiating  capabilities, then query-status
 *      └─────────────┴──────────────────────┘           closed       by close(), EOF, or a broken protocol
 * ```
 *
 * A greeting is not enough to be ready: a QEMU about to be killed by its own sandbox greets first.
 * Commands wait in line, eight at most are with QEMU. Events are heard from the first byte on.
 */
export class QmpClient implements AsyncDisposable {
  readonly #talk: Session
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
    this.#talk = new Session(port, {
      peer,
      protocol: 'monitor',
      clock,
      maxLine,
      hear: message => this.#hear(message),
      garbled: failure => this.#talk.end(failure),
      ended: reason => {
        this.#enter('closed')
        this.#listeners.end(reason)
      },
    })
    this.#listeners = new EventListeners(peer, this.#talk.clock)
    this.ready = this.#open()
    this.ready.catch(() => {}) // whoever awaits it is told; so is whoever awaits `closed`
    this.#talk.start()
  }

  get state(): QmpState {
    return this.#state
  }

  /** QEMU's version, once it has greeted. */
  get version(): QemuVersion | undefined {
    return this.#greeting?.version
  }

  /** Resolves when the monitor is gone, with the reason; with undefined after {@link close}. Never rejects. */
  get closed(): Promise<QmpError | undefined> {
    return this.#talk.closed
  }

  /**
   * Runs a command and gives what it returns. Throws QMP_COMMAND when QEMU refuses, in QEMU's words.
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
        target: this.#talk.peer,
        reason: 'QEMU has not answered yet',
        remedy: 'Wait for `ready`',
      })
    checkFds(command, args, options.fds)
    if (options.oob && !this.#greeting?.capabilities.includes('oob')) throw noOob(command, this.#talk.peer)
    return (await this.#ask(command, args, options)) as ResultOf<QmpCommands, Name>
  }

  /** Events as they come; the loop ends when the monitor does. Over `limit`, the oldest are lost and counted. */
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
   * The next such event. Ask before sending the command that causes it: events come before replies. Rejects
   * with the reason when the monitor goes first.
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
    return this.#talk.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask(command: string, args?: object, { timeoutMs = this.#timeoutMs, ...how }: ExecuteOptions = {}) {
    return this.#talk.ask({ command, args, timeoutMs, ...how })
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
      this.#talk.end(failure as QmpError)
      throw failure
    }
    this.#enter('ready')
  }

  #greetingWithin(ms: number): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      const callOff = this.#talk.clock.after(ms, () => {
        const reason = `no greeting within ${ms} ms`
        const remedy = 'See that nobody else is connected to this monitor, and that it is in control mode'
        this.#talk.end(
          new QmpError({ code: 'QMP_TIMEOUT', op: 'connect to', target: this.#talk.peer, reason, remedy }),
        )
      })
      this.#greeted = greeting => {
        callOff()
        resolve(greeting)
      }
      void this.closed.then(() => {
        callOff()
        reject(this.#talk.ended)
      })
    })
  }

  #hear(message: Message): void {
    if (message.kind === 'event') this.#listeners.emit(message.event)
    else if (message.kind === 'greeting') this.#greeted(message.greeting)
    else if (message.kind === 'refusal') this.#talk.pending.unreadable(message.reason)
  }

  #mustBeOpen(): void {
    if (this.#talk.ended) throw closedError(this.#talk.peer, this.#talk.ended.reason, this.#talk.ended)
  }

  #enter(next: QmpState): void {
    if (!after[this.#state].includes(next)) throw new Error(`QMP client: ${this.#state} → ${next}`)
    this.#state = next
  }
}

/** Connects to a monitor: resolves when it is ready for commands, and leaves nothing open when it is not. */
export async function connectQmp(port: Port, options?: ConnectOptions): Promise<QmpClient> {
  const client = new QmpClient(port, options)
  await client.ready
  return client
}

/** QEMU takes one descriptor a message, and a name that starts with a digit for a number. */
function checkFds(command: string, args: object | undefined, fds: readonly number[] = []): void {
  const name = args && 'fdname' in args ? String(args.fdname) : 'fd'
  let reason: string | undefined
  if (fds.length > 1) reason = `QEMU takes one file descriptor a command, not ${fds.length}`
  else if (command === 'getfd' && fds.length === 0) reason = 'getfd needs a file descriptor'
  else if (/^\d|^$/.test(name)) reason = `'${name}' cannot name a descriptor: it must not start with a digit`
  if (reason) throw new QmpError({ code: 'QMP_BAD_FD', kind: 'usage', command, outcome: 'unsent', reason })
}

function noOob(command: string, target: string): QmpError {
  const reason = 'this QEMU offers no out-of-band execution on this monitor'
  return new QmpError({ code: 'QMP_NO_OOB', kind: 'usage', command, target, outcome: 'unsent', reason })
}
