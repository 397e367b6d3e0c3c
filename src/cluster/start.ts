import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Broadcast,
  resolveSettings,
  Scope,
  type SettingOptions,
  type Settings,
  systemClock,
} from '../base/index.ts'
import { type Fabric, openBridgeFabric } from '../net/index.ts'
import { surroundings } from './environment.ts'
import { type Ground, prepareGround, specOf } from './ground.ts'
import { checkMemory } from './memory.ts'
import { ClusterNode, type NodeWorld } from './node.ts'
import { planCluster } from './plan.ts'
import type { ClusterPlan } from './plan-types.ts'
import { RunningCluster } from './running.ts'
import { StartLimit } from './start-limit.ts'
import { inTurns } from './turns.ts'
import type { Cluster, ClusterEvent, ProgressEvent, StartHooks, StepName } from './types.ts'

/**
 * How many VMs boot at a time. The work is the same however many do (docs/network.md has the figures); two for
 * each processor fill the pauses in which one waits for its guest, and none waits long enough to time out.
 */
const bootsAtOnce = 2 * availableParallelism()

/**
 * Starts a cluster, held by this process: resolves when every node is ready. When one of them fails before that,
 * or it is called off, everything is taken back and the reason is thrown.
 *
 * ```ts
 * await using cluster = await startCluster({ nvm: 2, nrouters: 1 })
 * const { stdout } = await cluster.exec(1, ['ip', '-j', 'addr'])
 * ```
 */
export async function startCluster(options: SettingOptions = {}, hooks: StartHooks = {}): Promise<Cluster> {
  const settings = resolveSettings({ options })
  const plan = planCluster(settings)
  checkMemory(plan.nodes)
  const start = new ClusterStart(plan, settings, hooks)
  return await start.run()
}

class ClusterStart {
  readonly #plan: ClusterPlan
  readonly #settings: Settings
  readonly #hooks: StartHooks
  readonly #events = new Broadcast<ClusterEvent>()
  readonly #began = systemClock.now()
  readonly #startedAt = new Date().toISOString()
  #nodes: readonly ClusterNode[] = []
  /** Why the first node that failed did. */
  #lost: unknown

  constructor(plan: ClusterPlan, settings: Settings, hooks: StartHooks) {
    this.#plan = plan
    this.#settings = settings
    this.#hooks = hooks
  }

  async run(): Promise<Cluster> {
    using limit = new StartLimit(this.#plan.name, this.#hooks, () => this.#nodes)
    await using scope = new Scope()
    const logs = await this.#openLogs(scope)
    const ground = await this.#step('image', 'finding QEMU and the guest image', () => this.#prepare())
    limit.check()
    const fabric = scope.add(
      await this.#step('network', this.#wiring(), () => openBridgeFabric(this.#plan.bridges)),
    )
    limit.check()
    const world: NodeWorld = {
      clock: systemClock,
      tell: event => this.#tell(event),
      lost: reason => {
        this.#lost ??= reason
        limit.abort()
      },
    }
    this.#nodes = this.#plan.nodes.map(node => new ClusterNode(node, join(logs, `${node.name}.log`), world))
    scope.defer(() => this.#killAll())
    // Also those that are being configured, whom nobody else calls off. Should it fail, the scope tries again.
    limit.signal.addEventListener('abort', () => this.#killAll().catch(() => {}))
    try {
      await this.#boot({ ground, fabric, limit })
    } catch (failure) {
      throw limit.reason ?? this.#lost ?? failure
    }
    if (this.#lost) throw this.#lost
    return new RunningCluster({
      plan: this.#plan,
      ground,
      fabric,
      nodes: this.#nodes,
      events: this.#events,
      startedAt: this.#startedAt,
      readyMs: Math.round(systemClock.now() - this.#began),
      scope: scope.move(),
    })
  }

  #prepare(): Promise<Ground> {
    const { cache } = this.#hooks.places ?? surroundings().places
    const notice = (text: string) => this.#tell({ event: 'notice', text })
    return prepareGround(this.#settings, { cacheDir: cache, notice })
  }

  /** A few at a time, each from its first instruction to ready, so that the first are done early. */
  async #boot(on: { ground: Ground; fabric: Fabric; limit: StartLimit }): Promise<void> {
    const total = this.#nodes.length
    let booting = total
    this.#tell({ event: 'step', step: 'vms', state: 'begin', text: `booting ${total} VMs` })
    this.#tell({ event: 'step', step: 'configure', state: 'begin', text: 'giving them addresses and routes' })
    await inTurns(
      this.#nodes,
      async node => {
        try {
          await this.#bootOne(node, on)
          if (--booting === 0)
            this.#tell({ event: 'step', step: 'vms', state: 'end', text: `${total} VMs run` })
          await node.configure()
        } catch (failure) {
          node.fail(failure)
          throw failure
        }
      },
      { limit: bootsAtOnce },
    )
    this.#tell({ event: 'step', step: 'configure', state: 'end', text: 'all nodes are ready' })
  }

  #bootOne(
    node: ClusterNode,
    { ground, fabric, limit }: { ground: Ground; fabric: Fabric; limit: StartLimit },
  ) {
    const { namespace } = fabric
    const place = { nics: fabric.nics(node.plan.id), namespace, consoleLog: node.consoleLog }
    return node.boot(specOf(node.plan, this.#settings, { ground, place }), { signal: limit.signal })
  }

  async #step<T>(step: StepName, text: string, work: () => Promise<T>): Promise<T> {
    this.#tell({ event: 'step', step, state: 'begin', text })
    const result = await work()
    this.#tell({ event: 'step', step, state: 'end', text })
    return result
  }

  #wiring(): string {
    const { bridges, taps } = this.#plan.bridges
    return `making ${bridges.length} bridges and ${taps.length} taps`
  }

  /** Empties the files of an earlier cluster of this name: what is in them is about this one. */
  async #openLogs(scope: Scope): Promise<string> {
    const { logs } = this.#hooks
    if (logs === undefined) {
      const own = await mkdtemp(join(tmpdir(), 'xcluster-'))
      scope.defer(() => rm(own, { recursive: true, force: true }))
      return own
    }
    await mkdir(logs, { recursive: true, mode: 0o700 })
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
