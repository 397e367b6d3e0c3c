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

/** What a node needs to know of the world around it. */
export interface NodeDependencies {
  /** The name of its cluster. */
  readonly cluster: string
  readonly world: Pick<ClusterWorld, 'clock' | 'wallClock' | 'randomBytes' | 'startVm'>
  readonly tell: (event: ProgressEvent) => void
  /** A node has failed, for this reason. */
  readonly lost: (node: ClusterNode, reason: unknown) => void
  /** Where on this machine's loopback its questions of DNS have to go; undefined: they find their way. */
  readonly dnsPort: () => number | undefined
}

/** One node of a cluster: its VM, and how far it has come. */
export class ClusterNode {
  readonly consoleLog: string
  readonly #parts: NodeDependencies
  readonly #life = new NodeLifecycle()
  #plan: NodePlan
  /** What its guest knows of the plan. */
  #told: NodePlan | undefined
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
    return this.#living().console
  }

  /** Starts its VM and waits until its agent answers. `passed` hears of each milestone. */
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
    void this.#hear(machine, passed)
    this.#enter('booting')
    await machine.ready
    // Before that it is the reason why the boot fails; a clone that does may be booted instead.
    void machine.died.then(reason => reason && this.#machine === machine && this.fail(reason))
  }

  /** Tells it its addresses and routes. */
  async configure(): Promise<void> {
    this.#enter('configuring')
    this.#told = this.#plan
    await configure(this.#channel!, this.#told, { clone: this.#cloned, dnsPort: this.#parts.dnsPort() })
    this.#pass('identity', this.#elapsed())
    this.#pass('ready', this.#elapsed())
    this.#enter('ready')
  }

  /** Its place in the cluster is another now: a guest that runs is told, one that is paused when it goes on. */
  async follow(plan: NodePlan): Promise<void> {
    this.#plan = plan
    if (this.state !== 'ready' || !this.#told) return
    const steps = updateSteps(this.#told, plan)
    this.#told = plan
    if (steps.length > 0) await this.#channel!.tell(steps)
  }

  async exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    if (this.state === 'paused')
      throw this.#notReady(
        'it is paused',
        `Resume it: ${commandFor(this.#parts.cluster, `resume ${this.#plan.id}`)}`,
      )
    return await this.#living().exec(command, options)
  }

  async pause(): Promise<void> {
    if (this.state === 'paused') return
    if (this.state !== 'ready') throw this.#notReady()
    await this.#living().qmp.execute('stop')
    this.#enter('paused')
  }

  /** The guest's clock has stood still meanwhile. */
  async resume(): Promise<void> {
    if (this.state === 'ready') return
    if (this.state !== 'paused') throw this.#notReady()
    await this.#living().qmp.execute('cont')
    this.#enter('ready')
    await setClock(this.#channel!)
    await this.follow(this.#plan)
  }

  /** Ends its VM, whatever state it is in, so that it can have a fresh one. */
  async clear(): Promise<void> {
    const machine = this.#machine
    this.#machine = undefined
    this.#told = undefined
    this.#milestones = {}
    this.#enter('waiting')
    await machine?.kill()
  }

  /** It is lost; says so once. One that we called off is not: it is being stopped. */
  fail(reason: unknown): void {
    if (['failed', 'stopping', 'stopped'].includes(this.state)) return
    if (reason instanceof XclusterError && reason.code === 'START_ABORTED') return
    this.#reason = messageOf(reason)
    this.#enter('failed')
    this.#parts.lost(this, reason)
  }

  /** Ends its VM, whatever state it is in: gracefully within `graceMs`, or at once. */
  async stop(how: { readonly graceMs?: number } | 'at once'): Promise<void> {
    const paused = this.state === 'paused'
    if (!this.#life.over && this.state !== 'stopping') this.#enter('stopping')
    // Nobody who is paused writes anything back.
    const gently = paused ? { graceMs: 0 } : how
    await (gently === 'at once' ? this.#machine?.kill() : this.#machine?.stop(gently))
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

  /** How long after its beginning it passed what it passed last. */
  get lastPassed(): { milestone: NodeMilestone; ms: number } | undefined {
    const [milestone, ms] = Object.entries(this.#milestones).at(-1) ?? []
    return milestone === undefined ? undefined : { milestone: milestone as NodeMilestone, ms: ms! }
  }

  /** The machine's `ready` is not the node's, which has yet to be told who it is. */
  async #hear(machine: Machine, passed: () => void): Promise<void> {
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

  /** Milliseconds with a tenth. */
  #elapsed(): number {
    return this.#began === undefined ? 0 : Math.round((this.#parts.world.clock.now() - this.#began) * 10) / 10
  }

  /** Its VM. Throws NODE_NOT_READY when it has none that lives. */
  #living(): Machine {
    if (this.#machine && !this.#life.over) return this.#machine
    throw this.#notReady()
  }

  #notReady(reason = this.#reason ?? `it is ${this.state}`, remedy?: string): ClusterError {
    const target = this.#plan.name
    return new ClusterError({
      code: 'NODE_NOT_READY',
      op: 'use node',
      target,
      reason,
      ...(remedy !== undefined && { remedy }),
    })
  }
}
