import { randomInt } from 'node:crypto'
import type { Clock, Port } from '../base/index.ts'
import type { AgentCommands } from './agent-commands.ts'
import type { NameIn, Rest, ResultOf } from './commands.ts'
import { lostError, QmpError } from './errors.ts'
import { type AskedAgent, type ExecOptions, type ExecResult, guestExec } from './exec.ts'
import { type ConnectOptions, Session } from './session.ts'

export type AgentState = 'unsynced' | 'syncing' | 'ready' | 'closed'

const after: Readonly<Record<AgentState, readonly AgentState[]>> = {
  unsynced: ['syncing', 'closed'],
  syncing: ['ready', 'unsynced', 'closed'],
  ready: ['unsynced', 'closed'],
  closed: [],
}

/** Two outputs of 16 MiB, in base64, in one `guest-exec-status`. */
const maxLine = 48 * 1024 * 1024

/** How long one try to synchronise waits: a busy guest answers the next one. */
const syncMs = 3_000

/**
 * A client of the guest agent (qemu-ga on a virtio-serial port). It has no greeting, and a port that outlives
 * both ends: what an earlier client asked, or half of it, may still be under way. `guest-sync-delimited` clears
 * the line, at first and after every timeout.
 *
 * ```text
 *  unsynced ──▶ syncing ──▶ ready      unsynced   new, or a command was not answered; the next one synchronises
 *      ▲           │          │        closed     from any state: by close(), EOF, or a line without end
 *      └───────────┴──────────┘
 * ```
 *
 * Connect when the guest has opened the port (event VSERPORT_CHANGE): bytes sent earlier can wedge its boot.
 */
export class AgentClient implements AskedAgent, AsyncDisposable {
  readonly #talk: Session
  readonly #timeoutMs: number
  #state: AgentState = 'unsynced'
  #syncing: Promise<void> | undefined

  constructor(port: Port, options: ConnectOptions = {}) {
    const { peer = 'the guest agent', clock } = options
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#talk = new Session(port, {
      peer,
      protocol: 'agent',
      clock,
      maxLine,
      alwaysId: true,
      hear: message => {
        const expected = this.#state !== 'ready' // 0xFF makes the agent complain of bad input
        if (message.kind === 'refusal' && !expected) this.#talk.pending.unreadable(message.reason)
      },
      garbled: () => this.#lapse(),
      ended: () => this.#enter('closed'),
    })
    this.#talk.start()
  }

  get state(): AgentState {
    return this.#state
  }

  /** Resolves when the port is gone, with the reason; with undefined after {@link close}. Never rejects. */
  get closed(): Promise<QmpError | undefined> {
    return this.#talk.closed
  }

  /** Runs an agent command and gives what it returns. Throws QMP_COMMAND when the agent refuses. */
  async execute<const Name extends NameIn<AgentCommands>>(
    command: Name,
    ...rest: Rest<AgentCommands, Name, { readonly timeoutMs?: number }>
  ): Promise<ResultOf<AgentCommands, Name>> {
    const [args, { timeoutMs = this.#timeoutMs } = {}] = rest as [object?, { timeoutMs?: number }?]
    const deadline = this.clock.now() + timeoutMs
    if (this.#state !== 'ready') await this.#syncFor(command, timeoutMs)
    try {
      const left = Math.max(deadline - this.clock.now(), 1)
      return (await this.#talk.ask({ command, args, timeoutMs: left })) as ResultOf<AgentCommands, Name>
    } catch (failure) {
      if (failure instanceof QmpError && failure.code === 'QMP_TIMEOUT') this.#lapse()
      throw failure
    }
  }

  /**
   * Runs a program in the guest and waits for its end; a string is given to `/bin/sh -c`.
   *
   * ```ts
   * const { status, stdout } = await agent.exec(['ip', '-j', 'addr'], { timeoutMs: 5_000 })
   * ```
   */
  exec(command: string | readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return guestExec(this, command, { timeoutMs: this.#timeoutMs, ...options })
  }

  /** Clears the line: what was asked earlier and is not answered by now never will be. */
  sync(timeoutMs: number = this.#timeoutMs): Promise<void> {
    this.#syncing ??= this.#sync(timeoutMs).finally(() => {
      this.#syncing = undefined
    })
    return this.#syncing
  }

  close(): Promise<void> {
    return this.#talk.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The clock everything here waits by. */
  get clock(): Clock {
    return this.#talk.clock
  }

  get peer(): string {
    return this.#talk.peer
  }

  async #syncFor(command: string, timeoutMs: number): Promise<void> {
    try {
      await this.sync(timeoutMs)
    } catch (failure) {
      throw failure instanceof QmpError ? lostError(failure, command, 'unsent') : failure
    }
  }

  async #sync(timeoutMs: number): Promise<void> {
    if (this.#talk.ended) throw lostError(this.#talk.ended, 'guest-sync-delimited', 'unsent')
    this.#lapse()
    this.#enter('syncing')
    const deadline = this.clock.now() + timeoutMs
    try {
      while (!(await this.#trySync(deadline - this.clock.now())));
      this.#enter('ready')
    } finally {
      this.#lapse(['syncing'])
    }
  }

  /** True when the agent has said our number; false when there is reason, and time, to try again. */
  async #trySync(leftMs: number): Promise<boolean> {
    if (leftMs <= 0) throw outOfStep(this.peer)
    const id = randomInt(2 ** 31)
    const last = leftMs <= syncMs
    const ask = { command: 'guest-sync-delimited', args: { id }, first: true }
    const earlier = this.#talk.pending.waiting()
    this.#talk.send(Uint8Array.of(0xff))
    try {
      const said = await this.#talk.ask({ ...ask, timeoutMs: last ? leftMs : syncMs })
      if (said === id) this.#talk.pending.abandon(earlier)
      return said === id
    } catch (failure) {
      if (!last && failure instanceof QmpError && failure.code === 'QMP_TIMEOUT') return false
      throw failure
    }
  }

  /** Not in step any more; the next command synchronises first. */
  #lapse(from: readonly AgentState[] = ['ready']): void {
    if (from.includes(this.#state)) this.#enter('unsynced')
  }

  #enter(next: AgentState): void {
    if (!after[this.#state].includes(next)) throw new Error(`guest agent client: ${this.#state} → ${next}`)
    this.#state = next
  }
}

/** Connects to a guest agent: resolves when it is in step, and leaves nothing open when it is not. */
export async function connectAgent(port: Port, options?: ConnectOptions): Promise<AgentClient> {
  const agent = new AgentClient(port, options)
  try {
    await agent.sync()
    return agent
  } catch (failure) {
    await agent.close()
    throw failure
  }
}

function outOfStep(target: string): QmpError {
  const reason = 'it answers other questions than ours'
  const remedy = 'See that nobody else talks to this port'
  return new QmpError({ code: 'AGENT_OUT_OF_STEP', op: 'synchronise with', target, reason, remedy })
}
