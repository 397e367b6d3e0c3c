import { randomInt } from 'node:crypto'
import { type Clock, type Port, unlessAborted } from '../base/index.ts'
import { abortedError, lostError, QmpError } from './errors.ts'
import { type AskedAgent, type AskOptions, type ExecOptions, type ExecResult, guestExec } from './exec.ts'
import { silentCommands } from './generated/agent.ts'
import type { NameIn, Rest, ResultOf } from './qapi.ts'
import { agentReplies } from './replies.ts'
import { type ConnectOptions, Session } from './session.ts'
import { take } from './takes.ts'
import type { AgentCommands } from './versions.ts'

export type AgentState = 'unsynced' | 'syncing' | 'ready' | 'closed'

const after: Readonly<Record<AgentState, readonly AgentState[]>> = {
  unsynced: ['syncing', 'closed'],
  syncing: ['ready', 'unsynced', 'closed'],
  ready: ['unsynced', 'closed'],
  closed: [],
}

/** Commands with a long reply: two outputs of 16 MiB, in base64, in one `guest-exec-status`; a part of a file. */
const longReplies = ['guest-exec-status', 'guest-file-read']
const longLine = 48 * 1024 * 1024
/** Bytes of any other line. A machine of 1 TiB has 8,192 `guest-get-memory-blocks` of 60 bytes. */
const usualLine = 1024 * 1024
const structure = { depth: 32, values: 65_536 }
/** Bytes. A restarted agent answers the commands of its predecessor: a few lines. */
const unasked = { most: 256 * 1024, perSecond: 4096 }
/** A guest that answers with wrong numbers at once, again and again, keeps this process busy. */
const mostWrongNumbers = 16

/** qemu-ga can lose an answer when bytes of the next command have come by then (docs/decisions/qmp.md). */
const oneAtATime = 1

/**
 * A command without an answer has succeeded when nothing has come by then: a refusal comes at once, or after the
 * program that it runs in the guest has failed.
 */
const silenceMs = 5_000

/** The time limit of one attempt to synchronise. A busy guest answers a later one. */
const syncMs = 3_000

/**
 * A client of the guest agent (qemu-ga on a virtio-serial port). The agent does not greet, and its port outlives
 * both ends: a command of an earlier client, or half of one, may still be in it. `guest-sync-delimited` clears
 * the stream, at first and after every timeout.
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
  readonly #session: Session
  readonly #timeoutMs: number
  #state: AgentState = 'unsynced'
  #syncing: Promise<void> | undefined
  #closing = false

  constructor(port: Port, options: ConnectOptions = {}) {
    take('connect to guest agent', port, ['port', 'port'])
    take('connect to guest agent', options, 'connecting')
    const { peer = 'the guest agent', clock } = options
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#session = new Session(port, {
      peer,
      protocol: 'agent',
      clock,
      lines: { length: { usual: usualLine, now: () => this.#longestLine() }, structure },
      replies: agentReplies,
      unasked,
      alwaysId: true,
      window: oneAtATime,
      message: message => {
        const expected = this.#state !== 'ready' // 0xFF makes the agent complain of bad input
        if (message.kind === 'refusal' && !expected) this.#session.pending.unreadable(message.reason)
      },
      malformed: () => this.#lapse(),
      ended: () => this.#enter('closed'),
    })
    this.#session.start()
  }

  get state(): AgentState {
    return this.#state
  }

  /**
   * Resolves when the connection has ended, with the reason, or with undefined after {@link close}. Never
   * rejects.
   */
  get closed(): Promise<QmpError | undefined> {
    return this.#session.closed
  }

  /**
   * Runs an agent command and returns its result. Throws QMP_COMMAND when the agent refuses.
   *
   * `guest-shutdown` and `guest-suspend-*` have no answer when they succeed (`success-response: false` in the agent's
   * schema). They resolve when the guest closes the port, or when no refusal has come within `timeoutMs` (default for
   * them: 5 s). What the guest then does, the monitor's events tell.
   */
  async execute<const Name extends NameIn<AgentCommands>>(
    command: Name,
    ...rest: Rest<AgentCommands, Name, AskOptions>
  ): Promise<ResultOf<AgentCommands, Name>> {
    const [args, given = {}] = rest as [object?, AskOptions?]
    const op = `execute ${take('execute', command, ['command', 'command'])}`
    take(op, args, ['arguments', 'arguments'])
    const isSilent = silentCommands.includes(command)
    const usualMs = isSilent ? Math.min(this.#timeoutMs, silenceMs) : this.#timeoutMs
    const { timeoutMs = usualMs, ...options } = take(op, given, 'execute')
    const { signal } = options
    const deadline = this.clock.now() + timeoutMs
    if (this.#state !== 'ready') await this.#syncFor(command, timeoutMs, signal)
    try {
      const left = Math.max(deadline - this.clock.now(), 1)
      return (await this.#session.ask({ ...options, command, args, timeoutMs: left })) as ResultOf<
        AgentCommands,
        Name
      >
    } catch (failure) {
      if (failure instanceof QmpError && isWithoutAnswer(failure)) this.#giveUp()
      if (isSilent && this.#isSilence(failure)) return undefined as ResultOf<AgentCommands, Name>
      throw failure
    }
  }

  /**
   * Runs a program in the guest and waits for its end. A string is a command for `/bin/sh -c`.
   *
   * ```ts
   * const { status, stdout } = await agent.exec(['ip', '-j', 'addr'], { timeoutMs: 5_000 })
   * ```
   */
  async exec(command: string | readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    take('run in guest', command, ['program', 'command'])
    return await guestExec(this, command, take('run in guest', options, 'exec'))
  }

  /** Clears the stream: commands that were sent earlier and have no answer by then never get one. */
  async sync(timeoutMs: number = this.#timeoutMs): Promise<void> {
    take('synchronise with guest agent', timeoutMs, ['timeoutMs', 'timeoutMs'])
    this.#syncing ??= this.#sync(timeoutMs).finally(() => {
      this.#syncing = undefined
    })
    await this.#syncing
  }

  close(): Promise<void> {
    this.#closing = true
    return this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The clock of all time limits. */
  get clock(): Clock {
    return this.#session.clock
  }

  get peer(): string {
    return this.#session.peer
  }

  async #syncFor(command: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const aborted = (cause: unknown) => abortedError({ command, target: this.peer }, cause)
    try {
      await unlessAborted(this.sync(timeoutMs), signal, aborted)
    } catch (failure) {
      const isOwn = !(failure instanceof QmpError) || failure.code === 'QMP_ABORTED'
      throw isOwn ? failure : lostError(failure, command, 'unsent')
    }
  }

  async #sync(timeoutMs: number): Promise<void> {
    if (this.#session.ended) throw lostError(this.#session.ended, 'guest-sync-delimited', 'unsent')
    this.#lapse()
    this.#enter('syncing')
    const deadline = this.clock.now() + timeoutMs
    try {
      for (let wrong = 0; ; wrong++) {
        const left = wrong < mostWrongNumbers ? deadline - this.clock.now() : 0
        if (await this.#trySync(left)) break
      }
      this.#enter('ready')
    } finally {
      this.#lapse(['syncing'])
    }
  }

  /**
   * True when the agent has answered with this client's number; false when a further attempt makes sense and
   * time is left.
   */
  async #trySync(leftMs: number): Promise<boolean> {
    if (leftMs <= 0) throw outOfStep(this.peer)
    const id = randomInt(2 ** 31)
    const last = leftMs <= syncMs
    const ask = { command: 'guest-sync-delimited', args: { id }, first: true }
    const earlier = this.#session.pending.waiting()
    this.#session.send(Uint8Array.of(0xff))
    try {
      const said = await this.#session.ask({ ...ask, timeoutMs: last ? leftMs : syncMs })
      if (said === id) this.#session.pending.abandon(earlier)
      return said === id
    } catch (failure) {
      if (!last && failure instanceof QmpError && failure.code === 'QMP_TIMEOUT') return false
      throw failure
    }
  }

  /** Nothing came, or the guest has gone: not an end that this client made. */
  #isSilence(failure: unknown): boolean {
    if (!(failure instanceof QmpError) || failure.outcome !== 'unknown') return false
    return failure.code === 'QMP_TIMEOUT' || (failure.code === 'QMP_CLOSED' && !this.#closing)
  }

  /** Nothing waits for the reply any more, which may have begun to arrive: it is not kept. */
  #giveUp(): void {
    this.#lapse()
    this.#session.skipLine()
  }

  #longestLine(): number {
    const long = this.#session.pending.asked.filter(({ command }) => longReplies.includes(command))
    return Math.max(usualLine, ...long.map(({ longestReply = longLine }) => longestReply))
  }

  /** Marks the stream as out of step: the next command synchronises first. */
  #lapse(from: readonly AgentState[] = ['ready']): void {
    if (from.includes(this.#state)) this.#enter('unsynced')
  }

  #enter(next: AgentState): void {
    if (!after[this.#state].includes(next)) throw new Error(`guest agent client: ${this.#state} → ${next}`)
    this.#state = next
  }
}

/** Connects to a guest agent. Resolves when it is synchronised; after a failure it leaves nothing open. */
export async function connectAgent(port: Port, options: ConnectOptions = {}): Promise<AgentClient> {
  const agent = new AgentClient(port, options)
  const aborted = (cause: unknown) => abortedError({ op: 'connect to', target: agent.peer }, cause)
  try {
    await unlessAborted(agent.sync(), options.signal, aborted)
    return agent
  } catch (failure) {
    await agent.close()
    throw failure
  }
}

/** Its answer may still come, or half of it may have. */
function isWithoutAnswer({ code, outcome }: QmpError): boolean {
  return code === 'QMP_TIMEOUT' || (code === 'QMP_ABORTED' && outcome === 'unknown')
}

function outOfStep(target: string): QmpError {
  const reason = 'it answers commands that this client did not send'
  const remedy = 'Make sure that no other client uses this port'
  return new QmpError({ code: 'AGENT_OUT_OF_STEP', op: 'synchronise with', target, reason, remedy })
}
