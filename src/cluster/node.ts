import { type Clock, messageOf, XclusterError } from '../base/index.ts'
import { type Machine, type StartOptions, startVm, type VmSpec } from '../vm/index.ts'
import { ClusterError } from './errors.ts'
import { guestScript } from './guest-config.ts'
import type { NodePlan } from './plan-types.ts'
import type { NodeState, NodeStatus, ProgressEvent } from './types.ts'

/** Where a node may go from each state; `failed` from any that is not an end. */
const next: Readonly<Record<NodeState, readonly NodeState[]>> = {
  waiting: ['starting', 'stopping'],
  starting: ['booting', 'stopping'],
  booting: ['configuring', 'stopping'],
  configuring: ['ready', 'stopping'],
  ready: ['stopping'],
  stopping: ['stopped'],
  stopped: [],
  failed: [],
}

/** What a node needs to know of the world around it. */
export interface NodeWorld {
  readonly clock: Clock
  readonly tell: (event: ProgressEvent) => void
  /** A node has failed, for this reason. */
  readonly lost: (reason: unknown) => void
}

/** One node of a cluster: its VM, and how far it has come. */
export class ClusterNode {
  readonly plan: NodePlan
  readonly consoleLog: string
  readonly #world: NodeWorld
  #state: NodeState = 'waiting'
  #machine: Machine | undefined
  #began: number | undefined
  #bootMs: number | undefined
  #reason: string | undefined

  constructor(plan: NodePlan, consoleLog: string, world: NodeWorld) {
    this.plan = plan
    this.consoleLog = consoleLog
    this.#world = world
  }

  get state(): NodeState {
    return this.#state
  }

  /** Its VM. Throws NODE_NOT_READY when it has none that lives. */
  get machine(): Machine {
    if (this.#machine && !['stopped', 'failed'].includes(this.#state)) return this.#machine
    throw new ClusterError({
      code: 'NODE_NOT_READY',
      op: 'use node',
      target: this.plan.name,
      reason: this.#reason ?? `it is ${this.#state}`,
    })
  }

  /** Starts its VM and waits until its agent answers. */
  async boot(spec: VmSpec, options: StartOptions): Promise<void> {
    this.#began = this.#world.clock.now()
    this.#enter('starting')
    this.#machine = await startVm(spec, options)
    void this.#machine.died.then(reason => reason && this.fail(reason))
    this.#enter('booting')
    await this.#machine.ready
  }

  /** Tells it its addresses and routes. */
  async configure(): Promise<void> {
    this.#enter('configuring')
    const result = await this.machine.exec(['/bin/sh'], { input: guestScript(this.plan) })
    if (result.status !== 0) throw this.#refused(new TextDecoder().decode(result.stderr))
    this.#bootMs = this.#elapsed()
    this.#enter('ready')
  }

  /** It is lost; says so once. One that we called off is not: it is being stopped. */
  fail(reason: unknown): void {
    if (['failed', 'stopping', 'stopped'].includes(this.#state)) return
    if (reason instanceof XclusterError && reason.code === 'START_ABORTED') return
    this.#reason = messageOf(reason)
    this.#enter('failed')
    this.#world.lost(reason)
  }

  /** Ends its VM, whatever state it is in: gracefully within `graceMs`, or at once. */
  async stop(how: { readonly graceMs?: number } | 'at once'): Promise<void> {
    if (!['stopping', 'stopped', 'failed'].includes(this.#state)) this.#enter('stopping')
    await (how === 'at once' ? this.#machine?.kill() : this.#machine?.stop(how))
    if (this.#state === 'stopping') this.#enter('stopped')
  }

  status(): NodeStatus {
    const { id, name, role, nets } = this.plan
    const alive = this.#machine && !['stopped', 'failed'].includes(this.#state)
    return {
      id,
      name,
      role,
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(alive && { pid: this.#machine!.pid }),
      ...(this.#bootMs !== undefined && { bootMs: this.#bootMs }),
      milestones: { ...this.#machine?.milestones },
      console: this.consoleLog,
      nets,
    }
  }

  #enter(state: NodeState): void {
    if (state !== 'failed' && !next[this.#state].includes(state))
      throw new Error(`${this.plan.name} cannot go from ${this.#state} to ${state}`)
    this.#state = state
    const { id, name } = this.plan
    const reason = state === 'failed' && this.#reason !== undefined ? { reason: this.#reason } : {}
    this.#world.tell({ event: 'node', id, name, state, ms: this.#elapsed(), ...reason })
  }

  #elapsed(): number {
    return Math.round(this.#began === undefined ? 0 : this.#world.clock.now() - this.#began)
  }

  #refused(stderr: string): ClusterError {
    return new ClusterError({
      code: 'NODE_CONFIG',
      op: 'configure',
      target: this.plan.name,
      reason: stderr.trim() || 'its script failed and said nothing',
      remedy: `Its console is in ${this.consoleLog}`,
    })
  }
}
