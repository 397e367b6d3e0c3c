import type { NodeMilestone, NodeState, NodeStatus, ProgressEvent } from '../../api/index.ts'
import { codeOf, countdown, messageOf, within } from '../../base/index.ts'
import {
  changeMs,
  configure,
  drain,
  GuestChannel,
  setClock,
  unpackInto,
  updateSteps,
} from '../../guest/index.ts'
import type { NodeAdditions } from '../../host/index.ts'
import type { NodePlan, Settings } from '../../plan/index.ts'
import { type CommandResult, type CommandStreams, runCommand } from '../../stream/index.ts'
import type {
  Console,
  ExecOptions,
  Machine,
  Milestone,
  SavedVm,
  StartOptions,
  Template,
  VmSpec,
  Zygote,
} from '../../vm/index.ts'
import { type ClusterError, nodeBusy, noStreams } from '../errors.ts'
import type { ClusterWorld } from '../world.ts'
import { awaitCloudGuest, cloudBootMs, configureSeeded } from './cloud-guest.ts'
import { notReady } from './not-ready.ts'
import { resumeFrozen, warmUp } from './resume.ts'
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
  readonly additions: Pick<NodeAdditions, 'of'>
  /** Impairs the links of a node whose guest has been configured, as its plan says. */
  readonly impair: (node: ClusterNode) => Promise<void>
  /** The cluster's domain; empty for none. */
  readonly domain: string
}

/** One node of a cluster: its VM and its state. */
export class ClusterNode {
  readonly consoleLog: string
  /** The settings of its latest start. */
  startedWith: Settings | undefined
  readonly #parts: NodeDependencies
  readonly #life = new NodeLifecycle()
  #plan: NodePlan
  /** The plan that its guest is configured for. */
  #configured: NodePlan | undefined
  #machine: Machine | undefined
  #channel: GuestChannel | undefined
  #cloned = false
  /** For a guest that gets its identity from cloud-init: how long it may boot, in milliseconds. */
  #cloudBootMs: number | undefined
  #began: number | undefined
  #milestones: Partial<Record<NodeMilestone, number>> = {}
  #reason: string | undefined
  /** What is wrong with it, although it runs. */
  #warning: string | undefined

  constructor(plan: NodePlan, consoleLog: string, parts: NodeDependencies) {
    this.#plan = plan
    this.consoleLog = consoleLog
    this.#parts = parts
  }

  get plan(): NodePlan {
    return this.#plan
  }

  /** Its guest is configured for the new plan by {@link follow}, or when it starts. */
  set plan(plan: NodePlan) {
    this.#plan = plan
  }

  /** What its guest has, as far as is known. */
  get configured(): NodePlan {
    return this.#configured ?? this.#plan
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
    this.#warning = undefined
    this.#cloned = spec.template !== undefined
    this.#cloudBootMs = spec.kernel === undefined ? cloudBootMs(spec.accel) : undefined
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
    await this.#configuring(async channel => {
      await (this.#cloudBootMs === undefined
        ? this.#configureOwn(channel)
        : this.#configureCloudGuest(channel, this.#cloudBootMs))
      await this.#parts.impair(this)
    })
    await this.follow() // the plan may have changed meanwhile
  }

  /** Lets a VM that resumed as it was frozen go on: it is configured, and gets the time and randomness of its own. */
  async goOn(): Promise<void> {
    const { qmp } = this.#running()
    await this.#configuring(channel => resumeFrozen(qmp, channel))
  }

  /** The same and a command. Resolves with the function by which it stands still again. */
  async warmUp(): Promise<() => Promise<unknown>> {
    return await warmUp(this.#running().qmp, this.#channel!, this.#parts.world.clock)
  }

  async #configuring(work: (channel: GuestChannel) => Promise<void>): Promise<void> {
    this.#enter('configuring')
    this.#configured = this.#plan
    const channel = this.#channel!
    try {
      await work(channel)
    } catch (failure) {
      throw channel.lost ? await this.#deathOr(failure) : failure
    }
    this.#pass('identity', this.#elapsed())
    this.#pass('ready', this.#elapsed())
    this.#enter('ready')
  }

  /** Waits until nothing is on its way to or from its guest. Throws NODE_NOT_READY, and NODE_BUSY while commands run. */
  async drain(): Promise<void> {
    if (this.state !== 'ready') throw this.#notReady()
    const { count } = this.#channel!.streams
    if (count > 0) throw nodeBusy(this.#plan.name, count)
    await drain(this.#channel!)
  }

  /** Stops its processors, to be frozen. Resolves with the time when they stood still, in ms since 1970, as QEMU says. */
  async standStill(): Promise<number> {
    const { qmp } = this.#running()
    const [{ at }] = await Promise.all([qmp.once('STOP'), qmp.execute('stop')])
    this.#enter('paused')
    return at
  }

  /** From which its VM is forked while it stands still. */
  get zygote(): Zygote | undefined {
    return this.#running().zygote
  }

  /** Saves its VM, which stands still and goes on standing. */
  save(): Promise<SavedVm> {
    return this.#running().save()
  }

  /** Saves its VM, which stands still, and ends it. */
  async freeze(): Promise<Template> {
    const machine = this.#running()
    this.#enter('stopping')
    const frozen = await machine.freeze()
    this.#enter('stopped')
    return frozen
  }

  async #configureOwn(channel: GuestChannel): Promise<void> {
    const additions = this.#cloned ? undefined : this.#parts.additions.of(this.#plan) // a template has them
    if (additions) await unpackInto(channel, additions)
    const { dnsPort, domain } = this.#parts
    await configure(channel, this.#plan, { clone: this.#cloned, dnsPort: dnsPort(), domain, scripts: true })
  }

  /** A guest that never answers is used as it is, with a warning, until it does. */
  async #configureCloudGuest(channel: GuestChannel, limitMs: number): Promise<void> {
    const machine = this.#machine!
    const { additions, dnsPort, world } = this.#parts
    const [of, dns] = [additions.of(this.#plan), dnsPort()]
    const configured = configureSeeded(channel, this.#plan, { additions: of, dnsPort: dns, limitMs })
    this.#warning = await awaitCloudGuest(machine, configured, { clock: world.clock, limitMs })
    if (this.#warning === undefined) return
    this.#parts.tell({ type: 'notice', text: `${this.#plan.name}: ${this.#warning}` })
    const late = () => {
      if (this.#machine === machine) this.#warning = undefined
    }
    configured.then(late, () => {})
  }

  /**
   * Configures its guest for its current plan: a guest that runs now, a paused one when it resumes. A guest that does
   * not answer keeps what it has, and the node gets a warning: other nodes' changes do not depend on it.
   */
  async follow(left = countdown(this.#parts.world.clock, changeMs)): Promise<void> {
    if (this.state !== 'ready' || !this.#configured) return
    const before = this.#configured
    const steps = updateSteps(before, this.#plan)
    this.#configured = this.#plan
    if (steps.length === 0) return
    const apply = () => this.#channel!.apply(steps, left())
    if (!(await this.#answers(apply, 'it keeps its earlier routes'))) this.#configured = before
  }

  async exec(command: readonly string[] | string, options?: ExecOptions): Promise<CommandResult> {
    const { channel } = this
    const { clock } = this.#parts.world
    if (channel) return await runCommand(channel.streams, command, { ...options, clock })
    return await this.mustRun().exec(command, options)
  }

  /** Undefined for a guest without xcluster-guest, or one that has not begun yet. Throws NODE_NOT_READY. */
  get channel(): GuestChannel | undefined {
    this.mustRun()
    return this.#channel?.isHeard ? this.#channel : undefined
  }

  /** The streams of the commands in its guest. Throws NODE_NOT_READY, and EXEC_NO_CHANNEL for a guest without them. */
  get streams(): CommandStreams {
    const { channel } = this
    if (channel) return channel.streams
    throw noStreams(this.#plan.name)
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
    const left = countdown(this.#parts.world.clock, changeMs)
    await this.#answers(() => setClock(this.#channel!, left), 'its clock is late')
    await this.follow(left)
  }

  /** Ends all waiting for its guest, for this reason. It is about to be stopped. */
  release(reason: string): void {
    this.#channel?.end(reason)
  }

  /** The death of its VM, if its channel ended with that: the end of a socket is known before that of its process. */
  async #deathOr(failure: unknown): Promise<unknown> {
    const late = () => new Error('the VM lives')
    const death = within(this.#machine!.died, { clock: this.#parts.world.clock, ms: 1000, late })
    return (await death.catch(() => undefined)) ?? failure
  }

  /** False when the guest does not answer: it is left as it is, with a warning. */
  async #answers(work: () => Promise<unknown>, consequence: string): Promise<boolean> {
    try {
      await work()
      this.#warning = undefined
      return true
    } catch (failure) {
      if (codeOf(failure) !== 'GUEST_SILENT') throw failure
      this.#warning = `${consequence}: ${messageOf(failure)}`
      const text = `${this.#plan.name}: ${this.#warning}`
      if (!this.#life.over && this.state !== 'stopping') this.#parts.tell({ type: 'notice', text })
      return false
    }
  }

  /** Kills its VM, in any state, so that it can be started afresh. */
  async clear(): Promise<void> {
    const machine = this.#machine
    this.#machine = undefined
    this.#configured = undefined
    this.#milestones = {}
    this.#warning = undefined
    this.#enter('waiting')
    await machine?.kill()
  }

  /** Marks it as failed, once. A VM whose start was cancelled has not failed: its node is being stopped. */
  fail(reason: unknown): void {
    if (['failed', 'stopping', 'stopped'].includes(this.state)) return
    if (codeOf(reason) === 'START_ABORTED') return
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
      ...(this.#warning !== undefined && !this.#life.over && { warning: this.#warning }),
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
    this.#parts.tell({ type: 'milestone', id, name, milestone, ms })
  }

  #enter(state: NodeState): void {
    this.#life.enter(state, this.#plan.name)
    const { id, name } = this.#plan
    const reason = state === 'failed' && this.#reason !== undefined ? { reason: this.#reason } : {}
    this.#parts.tell({ type: 'node', id, name, state, ms: Math.round(this.#elapsed()), ...reason })
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

  /** The same for what a paused guest cannot do. */
  mustRun(): Machine {
    if (this.state !== 'paused') return this.#running()
    throw this.#notReady()
  }

  #notReady(): ClusterError {
    return notReady({ plan: this.#plan, state: this.state, reason: this.#reason })
  }
}
