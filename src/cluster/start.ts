import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterEvent, ProgressEvent, StepName } from '../api/index.ts'
import { Broadcast, inTurns, type Places, Scope, unlessAborted } from '../base/index.ts'
import type { NodeAdditions } from '../host/index.ts'
import type { Fabric } from '../net/index.ts'
import type { ClusterPlan, NodePlan } from '../plan/index.ts'
import { planCluster, resolveSettings, type SettingOptions, type Settings } from '../plan/index.ts'
import { makeDirectory } from '../sys/index.ts'
import type { Zygote } from '../vm/index.ts'
import { StartDeadline } from './deadline.ts'
import { ClusterNames } from './dns/own-names.ts'
import { firstOf, startCancelled } from './errors.ts'
import type { FrozenCluster } from './lab/frozen.ts'
import { refuseFreezable } from './lab/refuse.ts'
import { Impairments } from './network/impairments.ts'
import { wiringText } from './network/open.ts'
import { ClusterNode, type NodeDependencies } from './nodes/node.ts'
import { NodeStarter } from './nodes/starter.ts'
import { Templates } from './nodes/templates.ts'
import type { Parts } from './parts.ts'
import { RunningCluster } from './running.ts'
import { withTopologyRead } from './topology.ts'
import type { Cluster, StartHooks } from './types.ts'
import { type ClusterWorld, systemWorld } from './world.ts'

/**
 * Starts a cluster that belongs to this process. Resolves when every node is ready. When a node fails before that, or
 * the start is cancelled or takes too long, removes everything that it had started and throws the reason:
 * a {@link ClusterError}, or the error of the floor that failed (docs/errors.md).
 *
 * ```ts
 * await using cluster = await startCluster({ nvm: 2, nrouters: 1 })
 * const { stdout } = await cluster.exec(1, ['ip', '-j', 'addr'])
 * ```
 */
export async function startCluster(options: SettingOptions = {}, hooks: StartHooks = {}): Promise<Cluster> {
  return await startIn(systemWorld(), options, hooks)
}

/** The same with the dependencies as an argument. */
export async function startIn(
  world: ClusterWorld,
  options: SettingOptions,
  hooks: StartHooks & LabHooks,
): Promise<RunningCluster> {
  const settings = resolveSettings({ options: await withTopologyRead(options) })
  if (hooks.freezable) refuseFreezable(settings)
  const plan = planCluster(settings)
  world.checkMemory(plan.nodes, { clones: settings.clone === 'always' && !hooks.freezable })
  return await planned(world, { plan, settings, hooks, make: running })
}

/**
 * Starts the part of a lab that this host has: a plan with nodes elsewhere. `join` connects its network with that of the
 * other hosts.
 */
export async function startPart(
  { plan, settings, join }: PartOfLab,
  hooks: StartHooks = {},
): Promise<RunningCluster> {
  const system = systemWorld()
  const world: ClusterWorld = {
    ...system,
    openNetwork: async (part, options) => join(await system.openNetwork(part, options)),
  }
  world.checkMemory(plan.nodes, { clones: settings.clone === 'always' })
  return await planned(world, { plan, settings, hooks, make: running })
}

export interface PartOfLab {
  readonly plan: ClusterPlan
  readonly settings: Settings
  join(fabric: Fabric): Promise<Fabric>
}

/** Starts a frozen cluster as it was, beside others of the same. */
export async function forkIn<Made extends RunningCluster>(
  world: ClusterWorld,
  from: FrozenCluster,
  { make, ...hooks }: StartHooks & LabHooks & Making<Made>,
): Promise<Made> {
  const { plan, settings } = from
  world.checkMemory(plan.nodes, { clones: true })
  return await planned(world, { plan, settings, hooks, from, make })
}

/** A cluster that no lab replaces. */
export const running = (parts: Parts): RunningCluster => new RunningCluster(parts)

async function planned<Made extends RunningCluster>(
  world: ClusterWorld,
  start: PlannedStart<Made>,
): Promise<Made> {
  try {
    return await new ClusterStart(world, start).run()
  } catch (failure) {
    throw firstOf(failure, text => start.hooks.onEvent?.({ type: 'notice', text }))
  }
}

/** What makes the cluster of its parts, once every node is ready. */
interface Making<Made> {
  readonly make: (parts: Parts) => Made
}

interface PlannedStart<Made> extends Making<Made> {
  readonly plan: ClusterPlan
  readonly settings: Settings
  readonly hooks: StartHooks & LabHooks
  /** It is a fork of this one. */
  readonly from?: FrozenCluster
}

/** What the start of a cluster, or of a fork, is for. */
export interface LabHooks {
  /** Called when all of a fork is there and stands still. Its nodes go on when that has resolved. */
  readonly hold?: (nodes: readonly ClusterNode[]) => Promise<void>
  /** Others can be forked from its VMs while they stand still. */
  readonly forkable?: boolean
  /** What its VMs are forked from, by the numbers of their nodes. */
  readonly zygotes?: ReadonlyMap<number, Zygote>
}

/** How many VMs of a fork are being restored at a time, on each processor. */
const restoringPerProcessor = 2

/** What nodes use of the cluster. */
type Opened = Pick<Parts, 'starter' | 'templates' | 'impairments' | 'fabric' | 'dns'>

interface Preparing {
  readonly signal: AbortSignal
  readonly logs: string
  readonly additions: NodeAdditions
}

class ClusterStart<Made extends RunningCluster> {
  readonly #world: ClusterWorld
  readonly #plan: ClusterPlan
  readonly #settings: Settings
  readonly #hooks: StartHooks & LabHooks
  readonly #from: FrozenCluster | undefined
  readonly #make: (parts: Parts) => Made
  readonly #events = new Broadcast<ClusterEvent>()
  readonly #places: Places
  #began: number
  readonly #startedAt: string
  #nodes: readonly ClusterNode[] = []

  constructor(world: ClusterWorld, { plan, settings, hooks, from, make }: PlannedStart<Made>) {
    this.#world = world
    this.#plan = plan
    this.#settings = settings
    this.#hooks = hooks
    this.#from = from
    this.#make = make
    this.#places = hooks.places ?? world.environment.places
    this.#began = world.clock.now()
    this.#startedAt = new Date(world.wallClock()).toISOString()
  }

  async run(): Promise<Made> {
    using limit = new StartDeadline(this.#plan.name, {
      ...this.#hooks,
      clock: this.#world.clock,
      nodes: () => this.#nodes,
    })
    await using scope = new Scope()
    try {
      limit.check()
      return await this.#run(scope, limit)
    } catch (failure) {
      throw limit.reason ?? failure
    }
  }

  async #run(scope: Scope, limit: StartDeadline): Promise<Made> {
    const { signal } = limit
    const [plan, settings] = [this.#plan, this.#settings]
    const logs = await this.#openLogs(scope)
    const tell = (event: ProgressEvent) => this.#tell(event)
    const additions = this.#from?.additions ?? this.#additions()
    const opened: Partial<Opened> = {}
    const nodeOf = this.#makerOf(logs, opened)
    this.#nodes = plan.nodes.map(nodeOf)
    const { host, fabric, dns, templates } = await this.#prepare(scope, { signal, logs, additions })
    limit.check()
    const impairments = scope.add(new Impairments(fabric))
    impairments.refuse(plan.nodes)
    const { freezable = false } = this.#hooks
    const starter = new NodeStarter({ world: this.#world, settings, host, templates, tell, freezable })
    Object.assign(opened, { starter, templates, impairments, fabric, dns } satisfies Opened)
    scope.defer(() => this.#killAll())
    if (this.#from) await this.#restore(starter, this.#from, { fabric, signal, impairments })
    else await this.#boot(starter, { fabric, signal })
    return this.#make({
      ...{ world: this.#world, places: this.#places, impairments, nodeOf, freezable },
      ...{ plan, settings, host, fabric, dns, templates, additions, starter },
      names: new ClusterNames(plan, { dns, settings, fabric }),
      ...{ nodes: this.#nodes, events: this.#events },
      startedAt: this.#startedAt,
      readyMs: Math.round(this.#world.clock.now() - this.#began),
      scope: scope.move(),
    })
  }

  /** Makes nodes, which use what is opened after them. */
  #makerOf(logs: string, opened: Partial<Opened>): (plan: NodePlan) => ClusterNode {
    const dependencies: NodeDependencies = {
      ...{ world: this.#world, cluster: this.#plan.name, domain: this.#settings.domain },
      tell: event => this.#tell(event),
      failed: (node, reason) => opened.starter?.failed(node, reason),
      impair: node => opened.impairments!.begin(node),
      dnsPort: () => (opened.fabric?.kind === 'user' ? opened.dns?.port : undefined),
      additions: { of: node => opened.templates!.additionsOf(node) },
    }
    return plan => new ClusterNode(plan, join(logs, `${plan.name}.log`), dependencies)
  }

  /** Opens all that nodes need, side by side. Templates wait for QEMU, the image and the kind of network. */
  async #prepare(scope: Scope, { signal, logs, additions }: Preparing) {
    const world = this.#world
    const { env, searchPath } = world.environment
    const { cache: cacheDir, runtime: records } = this.#places
    const [tell, settings] = [(event: ProgressEvent) => this.#tell(event), this.#settings]
    const notice = (text: string) => tell({ type: 'notice', text })
    const image = this.#from
      ? Promise.resolve(this.#from.host)
      : this.#step('image', 'finding QEMU and the guest image', () =>
          world.findHost(settings, { cacheDir, searchPath, notice }),
        )
    const options = { env, searchPath, net: this.#hooks.net, qemu: async () => (await image).qemu.path, logs }
    const network = this.#step('network', wiringText(this.#plan, settings), async () =>
      scope.add(await world.openNetwork(this.#plan, { settings, notice, records, ...options })),
    )
    const names = network.then(fabric => world.openDns(this.#plan, { settings, fabric, notice, scope }))
    const brought = this.#from ? undefined : additions.prepare(this.#plan.nodes, signal)
    const opening = Promise.all([image, network, brought]).then(async ([host, { kind: fabric }]) => {
      const templates = scope.add(new Templates({ world, settings, fabric, host, cacheDir, tell, additions }))
      if (!this.#from) await templates.open(this.#plan.nodes, signal) // a fork needs none until a node is reset
      return templates
    })
    // Waits for each of them, failed or not, so that everything that was opened is closed.
    await Promise.allSettled([image, network, names, brought, opening])
    return { host: await image, fabric: await network, dns: await names, templates: await opening }
  }

  async #boot(starter: NodeStarter, on: { fabric: Fabric; signal: AbortSignal }): Promise<void> {
    const total = this.#nodes.length
    this.#tell({ type: 'step', step: 'vms', state: 'begin', text: `starting ${total} VMs` })
    this.#tell({ type: 'step', step: 'configure', state: 'begin', text: 'configuring addresses and routes' })
    const booted = () =>
      this.#tell({ type: 'step', step: 'vms', state: 'end', text: `${total} VMs are running` })
    await starter.run(this.#nodes, { ...on, together: true, booted })
    this.#tell({ type: 'step', step: 'configure', state: 'end', text: readyText(this.#nodes) })
  }

  /** Restores all VMs, which stand still, and lets them go on as good as at once. */
  async #restore(
    starter: NodeStarter,
    from: FrozenCluster,
    on: { readonly fabric: Fabric; readonly signal: AbortSignal; readonly impairments: Impairments },
  ): Promise<void> {
    const abort = new AbortController()
    const signal = AbortSignal.any([on.signal, abort.signal])
    setMaxListeners(0, signal) // each VM adds one
    const total = this.#nodes.length
    const { forkable, hold, zygotes } = this.#hooks
    const restore = (node: ClusterNode) => {
      const { id } = node.plan
      const forkOf = zygotes?.get(id)
      return starter.restore(
        node,
        { template: from.vms.get(id)!, ...(forkOf && { forkOf }), ...(forkable && { forkable }) },
        { ...on, signal },
      )
    }
    await this.#step('vms', `restoring ${total} VMs`, () =>
      inTurns(this.#nodes, restore, { limit: this.#world.processors * restoringPerProcessor }).catch(
        failure => {
          abort.abort()
          throw failure
        },
      ),
    )
    for (const node of this.#nodes) await on.impairments.adopt(node, from.impaired)
    if (hold) {
      if (from.host.accel.kind === 'tcg') await this.#warmUp()
      await unlessAborted(hold(this.#nodes), on.signal, cause => startCancelled(this.#plan.name, cause))
      this.#began = this.#world.clock.now()
    }
    await this.#step('configure', 'setting clocks', async () => {
      await Promise.all(this.#nodes.map(node => node.goOn()))
    })
  }

  /**
   * All nodes go on for a moment, and stand still again. QEMU's translator, which begins with nothing, has then seen the code
   * of the guests that going on runs: 0.1 s of a processor for each node.
   */
  async #warmUp(): Promise<void> {
    const ends = await Promise.all(this.#nodes.map(node => node.warmUp()))
    await Promise.all(ends.map(end => end()))
  }

  #additions(): NodeAdditions {
    return this.#world.additions(this.#settings, {
      env: this.#world.environment.env,
      cacheDir: this.#places.cache,
      notice: text => this.#tell({ type: 'notice', text }),
    })
  }

  async #step<T>(step: StepName, text: string, work: () => Promise<T>): Promise<T> {
    this.#tell({ type: 'step', step, state: 'begin', text })
    const result = await work()
    this.#tell({ type: 'step', step, state: 'end', text })
    return result
  }

  /** Makes the directory of the console logs, and removes those of an earlier cluster with this name. */
  async #openLogs(scope: Scope): Promise<string> {
    const { logs } = this.#hooks
    if (logs === undefined) {
      const own = await mkdtemp(join(tmpdir(), 'xcluster-'))
      scope.defer(() => rm(own, { recursive: true, force: true }))
      return own
    }
    makeDirectory(logs, 0o700)
    await Promise.all(this.#plan.nodes.map(({ name }) => rm(join(logs, `${name}.log`), { force: true })))
    return logs
  }

  async #killAll(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop('at once')))
  }

  #tell(event: ProgressEvent): void {
    this.#hooks.onEvent?.(event)
    this.#events.send(event)
  }
}

function readyText(nodes: readonly ClusterNode[]): string {
  const failed = nodes.filter(({ state }) => state === 'failed').map(({ plan }) => plan.name)
  return failed.length === 0 ? 'all nodes are ready' : `all nodes are ready except ${failed.join(', ')}`
}
