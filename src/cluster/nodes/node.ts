import type { NodeMilestone, NodeState, NodeStatus, ProgressEvent } from '../../api/index.ts'
import { commandFor } from '../../api/index.ts'
import { messageOf, XclusterError } from '../../base/index.ts'
import { configure, GuestChannel, setClock, updateSteps } from '../../guest/index.ts'
import type { NodePlan } from '../../plan/index.ts'
import type {
  Console,
  ExecOptions,
  ExecResult,
  Machine,
  Milestone,
  StartOptions,
  VmSpec,
} from '../../vm/index.ts'
import { ClusterError } from '../errors.ts'
import type { ClusterWorld } from '../world.ts'
import { NodeLifecycle } from './state.ts'

/** What a node needs from its cluster. */
export interface NodeDependencies {
  /** The name of its cluster. */
  readonly cluster: string
  readonly world: Pick<ClusterWorld, 'clock' | 'wallClock' | 'randomBytes' | 'startVm'>
  readonly tell: (event: ProgressEvent) => void
  /** Called when a node fails, with the reason. */
  readonly failed: (node: ClusterNode, reason: unknown) => void
  /** The port on this machine's loopback to redirect the guest's DNS to. Undefined: DNS needs no redirect. */
  readonly dnsPort: () => number | undefined
}

/** One node of a cluster: its VM and its state. */
export class ClusterNode {
  readonly consoleLog: string
  readonly #parts: NodeDependencies
  readonly #life = new NodeLifecycle()
  #plan: NodePlan
  /** The plan that its guest is configured for. */
  #configured: NodePlan | undefined
  #machine: Machine | undefined
  #channel: GuestChannel | undefined
  #cloned = false
  #began: number | undefined
  #milestones: Partial<Record<NodeMilestone, number>> = {}
  #reason: string | undefined

  constructor(plan: NodePlan, consoleLog: string, parts: NodeDependencies) {
    this.#plan = plan
    this.consoleLog = consoleLog
    this.#parts = parts
  }

  get plan(): NodePlan {
    return this.#plan
  }

  get state(): NodeState {
    return this.#life.state
  }

  get console(): Console {
    return this.#running().console
  }

  /** Starts its VM and waits until its agent answers. Calls `passed` at each milestone. */
  async boot(spec: VmSpec, { passed, ...options }: StartOptions & { passed: () => void }): Promise<void> {
    this.#began = this.#parts.world.clock.now()
    this.#milestones = {}
    this.#reason = undefined
    this.#cloned = spec.template !== undefined
    this.#enter('starting')
    const { world } = this.#parts
    const machine = await world.startVm(spec, { clock: world.clock, ...options })
    this.#machine = machine
    this.#channel = new GuestChannel(machine.stream, {
      name: spec.name,
      consoleLog: this.consoleLog,
      clock: world.clock,
      wallClock: () => world.wallClock(),
      randomBytes: count => world.randomBytes(count),
    })
    const channel = this.#channel
    void machine.died.then(() => channel.end('its VM has ended'))
    void this.#followMilestones(machine, passed)
    this.#enter('booting')
    await machine.ready
    // A death before this point fails the boot. It need not fail the node: a clone may be booted instead.
    void machine.died.then(reason => reason && this.#machine === machine && this.fail(reason))
  }

  /** Configures its guest: addresses, routes and, for a clone, its identity. */
  async configure(): Promise<void> {
    this.#enter('configuring')
    this.#configured = this.#plan
    await configure(this.#channel!, this.#plan, { clone: this.#cloned, dnsPort: this.#parts.dnsPort() })
    this.#pass('identity', this.#elapsed())
    this.#pass('ready', this.#elapsed())
    this.#enter('ready')
  }

  /** Takes a new plan. A running guest is updated now, a paused one when it resumes. */
  async follow(plan: NodePlan): Promise<void> {
    this.#plan = plan
    if (this.state !== 'ready' || !this.#configured) return
    const steps = updateSteps(this.#configured, plan)
    this.#configured = plan
    if (steps.length > 0) await this.#channel!.apply(steps)
  }

  async exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    if (this.state === 'paused')
      throw this.#notReady(
        'it is paused',
        `Resume it: ${commandFor(this.#parts.cluster, `resume ${this.#plan.id}`)}`,
      )
    return await this.#running().exec(command, options)
  }

  async pause(): Promise<void> {
    if (this.state === 'paused') return
    if (this.state !== 'ready') throw this.#notReady()
    await this.#running().qmp.execute('stop')
    this.#enter('paused')
  }

  /** Lets its processors run again, and sets its clock, which stopped with them. */
  async resume(): Promise<void> {
    if (this.state === 'ready') return
    if (this.state !== 'paused') throw this.#notReady()
    await this.#running().qmp.execute('cont')
    this.#enter('ready')
    await setClock(this.#channel!)
    await this.follow(this.#plan)
  }

  /** Kills its VM, in any state, so that it can be started afresh. */
  async clear(): Promise<void> {
    const machine = this.#machine
    this.#machine = undefined
    this.#configured = undefined
    this.#milestones = {}
    this.#enter('waiting')
    await machine?.kill()
  }

  /** Marks it as failed, once. A VM whose start was cancelled has not failed: its node is being stopped. */
  fail(reason: unknown): void {
    if (['failed', 'stopping', 'stopped'].includes(this.state)) return
    if (reason instanceof XclusterError && reason.code === 'START_ABORTED') return
    this.#reason = messageOf(reason)
    this.#enter('failed')
    this.#parts.failed(this, reason)
  }

  /** Ends its VM, in any state: gracefully within `graceMs` milliseconds, or at once. */
  async stop(how: { readonly graceMs?: number } | 'at once'): Promise<void> {
    const paused = this.state === 'paused'
    if (!this.#life.over && this.state !== 'stopping') this.#enter('stopping')
    // A paused guest cannot write its buffers back, so there is nothing to wait for.
    const ending = paused ? { graceMs: 0 } : how
    await (ending === 'at once' ? this.#machine?.kill() : this.#machine?.stop(ending))
    if (this.state === 'stopping') this.#enter('stopped')
  }

  status(): NodeStatus {
    const { id, name, role, nets } = this.#plan
    const { ready } = this.#milestones
    return {
      id,
      name,
      role,
      state: this.state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(this.#machine && !this.#life.over && { pid: this.#machine.pid }),
      ...(ready !== undefined && { bootMs: Math.round(ready) }),
      milestones: { ...this.#milestones },
      console: this.consoleLog,
      nets,
    }
  }

  /** The latest milestone, with its milliseconds since the node's start. */
  get lastPassed(): { milestone: NodeMilestone; ms: number } | undefined {
    const [milestone, ms] = Object.entries(this.#milestones).at(-1) ?? []
    return milestone === undefined ? undefined : { milestone: milestone as NodeMilestone, ms: ms! }
  }

  /** The machine's `ready` is not passed on: the node is ready only after its configuration. */
  async #followMilestones(machine: Machine, passed: () => void): Promise<void> {
    const pass = (milestone: Milestone, ms: number) => {
      if (milestone !== 'ready') this.#pass(milestone, ms)
      passed()
    }
    const events = machine.events()
    for (const [milestone, ms] of Object.entries(machine.milestones)) pass(milestone as Milestone, ms)
    for await (const event of events) {
      if (this.#machine !== machine) return
      if (event.type === 'milestone') pass(event.milestone, event.atMs)
    }
  }

  #pass(milestone: NodeMilestone, ms: number): void {
    this.#milestones[milestone] = ms
    const { id, name } = this.#plan
    this.#parts.tell({ event: 'milestone', id, name, milestone, ms })
  }

  #enter(state: NodeState): void {
    this.#life.enter(state, this.#plan.name)
    const { id, name } = this.#plan
    const reason = state === 'failed' && this.#reason !== undefined ? { reason: this.#reason } : {}
    this.#parts.tell({ event: 'node', id, name, state, ms: Math.round(this.#elapsed()), ...reason })
  }

  /** Milliseconds since its start, to a tenth. */
  #elapsed(): number {
    return this.#began === undefined ? 0 : Math.round((this.#parts.world.clock.now() - this.#began) * 10) / 10
  }

  /** Its VM. Throws NODE_NOT_READY when no VM of it runs. */
  #running(): Machine {
    if (this.#machine && !this.#life.over) return this.#machine
    throw this.#notReady()
  }

  #notReady(reason = this.#reason ?? `it is ${this.state}`, remedy = this.#remedy()): ClusterError {
    const target = this.#plan.name
    return new ClusterError({
      code: 'NODE_NOT_READY',
      op: 'use node',
      target,
      reason,
      ...(remedy !== undefined && { remedy }),
    })
  }

  /** A failed node is replaced by a reset. Its console log stays. */
  #remedy(): string | undefined {
    if (this.state !== 'failed') return undefined
    const of = (words: string) => commandFor(this.#parts.cluster, `${words} ${this.#plan.id}`)
    return `Replace it: ${of('reset')}; its console: ${of('logs')}`
  }
}
