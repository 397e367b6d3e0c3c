import {
  type Clock,
  countdown,
  type Deferred,
  defer,
  type Port,
  unlessAborted,
  within,
} from '../../base/index.ts'
import { AgentClient, type ExecOptions, type ExecResult, QmpError } from '../../qmp/index.ts'
import { VmError } from '../errors.ts'

/** How long a command waits for an agent that is restarting, and for one whose guest is booting. */
const restartMs = 30_000
const bootMs = 120_000

/**
 * The agent in one guest. QEMU's event VSERPORT_CHANGE reports when it opens and closes its port. Nothing is
 * sent while the port is closed, because that has wedged boots. When it closes, callers that wait for an
 * answer are rejected at once.
 */
export class GuestAgent {
  readonly #name: string
  readonly #port: Port
  readonly #clock: Clock
  #client: AgentClient | undefined
  #isOpen = false
  #wasOpen = false
  /** Resolves when the agent can be used. */
  #open = quiet<AgentClient>()
  /** Rejects when it no longer can. */
  #lost = quiet<never>()

  constructor(name: string, port: Port, clock: Clock) {
    this.#name = name
    this.#port = port
    this.#clock = clock
  }

  /**
   * Resolves when the agent has answered. Called at every opening, because a restarted agent must be
   * synchronised again.
   */
  async opened(timeoutMs: number): Promise<void> {
    await this.#connect().sync(timeoutMs)
    this.#offer()
  }

  /** The port is open, but the agent is not queried yet: the first command synchronises. */
  openedUnasked(): void {
    this.#connect()
    this.#offer()
  }

  closed(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#lost.reject(this.#lostError())
    this.#lost = quiet()
    this.#open = quiet()
  }

  #connect(): AgentClient {
    this.#client ??= new AgentClient(this.#port, { peer: this.#name, clock: this.#clock })
    return this.#client
  }

  #offer(): void {
    this.#isOpen = true
    this.#wasOpen = true
    this.#open.resolve(this.#connect())
  }

  /**
   * Waits for the agent, which may be restarting, and for the command: `timeoutMs` in all. Without it the command may
   * take any time.
   */
  async exec(command: readonly string[] | string, options: ExecOptions = {}): Promise<ExecResult> {
    const late = () => this.#lostError()
    const { timeoutMs = Number.POSITIVE_INFINITY } = options
    const left = countdown(this.#clock, timeoutMs)
    const opened = within(this.#open.promise, {
      clock: this.#clock,
      ms: Math.min(left(), this.#wasOpen ? restartMs : bootMs),
      late,
    })
    const client = await unlessAborted(opened, options.signal, cause => execAborted(this.#name, cause))
    return Promise.race([client.exec(command, { ...options, timeoutMs: left() }), this.#lost.promise])
  }

  async close(): Promise<void> {
    this.closed()
    this.#open.reject(this.#lostError())
    if (this.#client) await this.#client.close()
    else await this.#port.close()
  }

  #lostError(): VmError {
    const reason = this.#wasOpen
      ? "the guest's agent has closed its port"
      : 'no agent has opened its port in the guest'
    const remedy = 'Check that qemu-ga runs in the guest (its console still works)'
    return new VmError({ code: 'AGENT_LOST', op: 'talk to', target: this.#name, reason, remedy })
  }
}

/** The signal of a command aborted before the command was sent. */
export function execAborted(target: string, cause: unknown): QmpError {
  const reason = 'its caller aborted it'
  return new QmpError({
    code: 'QMP_ABORTED',
    op: 'run a program in',
    target,
    reason,
    outcome: 'unsent',
    cause,
  })
}

/** A rejection for callers that wait at that time; often there are none. */
function quiet<T>(): Deferred<T> {
  const deferred = defer<T>()
  deferred.promise.catch(() => {})
  return deferred
}
