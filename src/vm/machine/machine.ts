import {
  type Clock,
  defer,
  messageOf,
  type Port,
  type Queue,
  Scope,
  unlessAborted,
  withTimes,
} from '../../base/index.ts'
import { type ExecOptions, type ExecResult, type QmpClient, QmpError } from '../../qmp/index.ts'
import type { Exit, Launched } from '../../sys/index.ts'
import type { GuestConsole } from '../console/console.ts'
import type { Sight } from '../console/console-text.ts'
import { gone, noSuchNic, notFreezable, stoppedEarly, VmError } from '../errors.ts'
import { agentPort } from '../qemu/qemu-args.ts'
import type { SavedVm, Template } from '../shape.ts'
import { settled } from '../snapshot/device-state.ts'
import type { Freezer } from '../snapshot/freezer.ts'
import { tellExit, trace } from '../trace.ts'
import type { Machine, MachineEvent, MachineState, Zygote } from '../types.ts'
import { bootTimeout, type ExitReport, postmortem } from './death.ts'
import { execAborted, type GuestAgent } from './guest-agent.ts'
import type { Progress } from './progress.ts'
import { killAndWait, type Stoppable, stopInSteps, waitFor } from './stop.ts'

/** The parts of a machine. `startVm` makes them; the machine owns them from then on. */
export interface Parts {
  readonly name: string
  readonly nicCount: number
  readonly readyTimeoutMs: number
  /** A clone does not boot: its output does not describe a boot. */
  readonly isClone: boolean
  /** It was forked: the guest has its agent's port open. */
  readonly isFork: boolean
  /** The machine is ready as soon as it executes. */
  readonly readyRunning: boolean
  readonly clock: Clock
  readonly launched: Launched
  readonly qmp: QmpClient
  readonly console: GuestConsole
  readonly agent: GuestAgent
  readonly stream: Port
  readonly progress: Progress
  /** What it needs to be frozen. */
  readonly freezer?: Freezer
  readonly zygote?: Zygote
}

/** How long the others of process, monitor and console may take to close after one of them has. */
const followMs = 1000

/**
 * A VM over its parts. It ends in one way only, {@link VmMachine.#reap}, whatever the cause: the exit of the
 * process leads there, and every other failure kills the process. `states.ts` has the picture.
 */
export class VmMachine implements Machine {
  readonly #parts: Parts
  readonly #ready = defer()
  readonly #died = defer<Error | undefined>()
  readonly #eventsEnded: Promise<void>
  readonly #cancelTimeout: () => void
  #failure: Error | undefined
  #panic: string | undefined
  #trap: string | undefined
  #shutdown: ExitReport['shutdown']
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const { clock, console, isClone, launched, progress, qmp, readyTimeoutMs } = parts
    this.#ready.promise.catch(() => {}) // callers that await `ready` or `died` get the failure
    progress.pass('spawned')
    console.listen({ began: () => isClone || progress.pass('kernel'), saw: sight => this.#saw(sight) })
    this.#eventsEnded = this.#watchEvents()
    this.#cancelTimeout = clock.after(readyTimeoutMs, () =>
      this.fail(bootTimeout(this.#exitReport(), readyTimeoutMs)),
    )
    void qmp.closed.then(reason => this.#monitorGone(reason))
    void launched.exited.then(exit => this.#reap(exit))
  }

  get name(): string {
    return this.#parts.name
  }
  get pid(): number {
    return this.#parts.launched.pid
  }
  get state(): MachineState {
    return this.#parts.progress.state
  }
  get failure(): Error | undefined {
    return this.#failure
  }
  get milestones() {
    return this.#parts.progress.milestones
  }
  get console(): GuestConsole {
    return this.#parts.console
  }
  get qmp(): QmpClient {
    return this.#parts.qmp
  }
  get stream(): Port {
    return this.#parts.stream
  }
  get zygote(): Zygote | undefined {
    return this.#parts.zygote
  }
  get ready(): Promise<void> {
    return this.#ready.promise
  }
  get died(): Promise<Error | undefined> {
    return this.#died.promise
  }

  events(): Queue<MachineEvent> {
    return this.#parts.progress.events()
  }

  /**
   * Resolves when QEMU's monitor answers and the guest runs. Throws the reason why it never will, after
   * everything is closed.
   */
  async opened(wake?: (qmp: QmpClient) => Promise<void>): Promise<void> {
    try {
      await this.qmp.ready
      this.#parts.progress.pass('qmp')
      await wake?.(this.qmp)
    } catch (failure) {
      if (failure instanceof QmpError && failure.code === 'QMP_COMMAND') this.fail(failure)
      throw (await this.died) ?? stoppedEarly(this.name)
    }
    if (!this.#parts.progress.alive) throw (await this.died) ?? stoppedEarly(this.name)
    this.#parts.progress.enter('running')
    if (this.#parts.readyRunning) this.#becomeReady()
    if (this.#parts.isFork) void this.#agentOpened() // QEMU told it to the one that it was forked from
  }

  async exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    await unlessAborted(this.ready, options?.signal, cause => execAborted(this.name, cause))
    this.#mustLive()
    try {
      return await this.#parts.agent.exec(command, options)
    } catch (failure) {
      if (isLoss(failure)) await waitFor(this.#parts.clock, this.died, followMs)
      this.#mustLive()
      throw failure
    }
  }

  async setLink(index: number, up: boolean): Promise<void> {
    if (!Number.isInteger(index) || index < 0 || index >= this.#parts.nicCount)
      throw noSuchNic(this.name, index, this.#parts.nicCount)
    this.#mustLive()
    await this.qmp.execute('set_link', { name: `nic${index}`, up })
  }

  async freeze(): Promise<Template> {
    const freezer = await this.#saved()
    freezer.keep()
    await this.kill()
    return freezer.sealed()
  }

  async save(): Promise<SavedVm> {
    try {
      return await (await this.#saved()).opened()
    } finally {
      await settled(this.qmp, this.#parts.clock).catch(() => {}) // a VM that has ended tells so itself
    }
  }

  async #saved(): Promise<Freezer> {
    const { freezer } = this.#parts
    if (!freezer) throw notFreezable(this.name)
    this.#mustLive()
    await freezer.save(this.qmp)
    return freezer
  }

  async stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    const { graceMs = 500 } = withTimes('stop VM', options)
    this.#stopping ??= this.#stop(graceMs)
    await this.#stopping
  }

  async kill(): Promise<void> {
    this.#beginStop()
    await killAndWait(this.#stoppable())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }

  /** Records a failure and kills the process. Later failures are consequences of the first. */
  fail(failure: Error): void {
    if (!this.#parts.progress.alive) return
    this.#failure = failure
    this.#parts.progress.enter('failed', failure.message)
    this.#settle(failure)
    this.#parts.launched.kill('SIGKILL')
  }

  async #stop(graceMs: number): Promise<void> {
    const ready = this.state === 'ready'
    const agent = this.#parts.agent
    this.#beginStop()
    const sync = ready ? () => agent.exec(['sync'], { timeoutMs: graceMs }) : undefined
    await stopInSteps({ ...this.#stoppable(), sync }, graceMs)
  }

  #stoppable(): Stoppable {
    const { clock, launched } = this.#parts
    return {
      name: this.name,
      clock,
      gone: this.died,
      quit: () => this.qmp.execute('quit'),
      kill: signal => launched.kill(signal),
    }
  }

  /** From now on its end is intended. */
  #beginStop(): void {
    if (!this.#parts.progress.alive) return
    this.#parts.progress.enter('stopping')
    this.#settle(stoppedEarly(this.name))
  }

  /** Ends the wait for `ready`. Without effect when that has resolved. */
  #settle(failure: Error): void {
    this.#cancelTimeout()
    this.#ready.reject(failure)
  }

  #mustLive(): void {
    if (!this.#parts.progress.alive) throw this.#failure ?? gone(this.name)
  }

  #saw(sight: Sight): void {
    if ('milestone' in sight) this.#parts.isClone || this.#parts.progress.pass(sight.milestone)
    else if ('panic' in sight) this.#panicked(sight.panic)
    else this.#trap ??= sight.trap
  }

  /**
   * The guest now resets, which ends QEMU. With `panic=0` it stays: then a VM that is not ready fails after a
   * moment.
   */
  #panicked(words: string): void {
    if (this.#panic !== undefined) return // a guest can print such lines without end
    this.#panic = words
    void waitFor(this.#parts.clock, this.died, followMs).then(gone => {
      if (!gone && this.state !== 'ready') this.fail(postmortem(this.#exitReport()))
    })
  }

  /** Follows the monitor's events until it closes. */
  async #watchEvents(): Promise<void> {
    for await (const { type, data } of this.qmp.events(['VSERPORT_CHANGE', 'SHUTDOWN'])) {
      if (type === 'SHUTDOWN') this.#shutdown = data
      else if (data.id !== agentPort.id) continue
      else if (data.open) void this.#agentOpened()
      else this.#parts.agent.closed()
    }
  }

  async #agentOpened(): Promise<void> {
    const { agent, progress, readyRunning, readyTimeoutMs } = this.#parts
    progress.pass('agent')
    if (readyRunning) return agent.openedUnasked()
    try {
      await this.qmp.ready
      await agent.opened(readyTimeoutMs)
    } catch {
      return // the VM is ending, or the time limit of `ready` will report it
    }
    if (this.state === 'running') this.#becomeReady()
  }

  #becomeReady(): void {
    this.#cancelTimeout()
    this.#parts.progress.pass('ready')
    this.#parts.progress.enter('ready')
    this.#ready.resolve()
  }

  /** QEMU closes its monitor when it ends. A QEMU that runs on without one cannot be controlled. */
  async #monitorGone(reason: QmpError | undefined): Promise<void> {
    if (await waitFor(this.#parts.clock, this.#parts.launched.exited, followMs)) return
    const monitor = reason && messageOf(reason)
    this.fail(postmortem({ ...this.#exitReport(), monitor }))
  }

  /** The process has ended: reads the remaining output, determines the cause, and closes everything. */
  async #reap(exit: Exit): Promise<void> {
    const { agent, clock, console, freezer, progress, stream, zygote } = this.#parts
    if (trace.on) tellExit(this.name, this.pid, exit)
    await waitFor(clock, Promise.all([console.ended, this.qmp.closed, this.#eventsEnded]), followMs)
    if (progress.alive) this.fail(postmortem(this.#exitReport(exit)))
    if (progress.state === 'stopping') progress.enter('stopped')
    const scope = new Scope()
    for (const part of [agent, console, stream, this.qmp, freezer, zygote])
      scope.defer(async () => part?.close())
    try {
      await scope.close()
    } catch (failure) {
      this.#failure ??= new VmError({
        code: 'VM_CLOSE_FAILED',
        target: this.name,
        reason: messageOf(failure),
      })
    }
    progress.end()
    this.#died.resolve(this.#failure)
  }

  #exitReport(exit?: Exit): ExitReport {
    const { console, launched, name, progress, qmp } = this.#parts
    return {
      name,
      exit,
      panic: this.#panic,
      trap: this.#trap,
      shutdown: this.#shutdown,
      exchange: qmp.lastExchange,
      stderr: launched.stderr(),
      console: console.lastLines(),
      reached: progress.reached,
    }
  }
}

/** True when the agent's connection was lost: perhaps because the VM died, which explains more. */
function isLoss(failure: unknown): boolean {
  const isOurs = failure instanceof QmpError || failure instanceof VmError
  return isOurs && ['QMP_CLOSED', 'AGENT_LOST'].includes(failure.code)
}
