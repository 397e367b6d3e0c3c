import type { ClusterEvent, ClusterState, Status } from '../api/index.ts'
import { Broadcast, defer, messageOf, type Queue } from '../base/index.ts'
import { type Cluster, type StartHooks, startCancelled } from '../cluster/index.ts'
import type { ClusterPlan, Settings } from '../plan/index.ts'
import { idOf, nodeMissing } from '../plan/index.ts'
import { OwnerError } from './errors.ts'
import { StartingStatus } from './starting-status.ts'

/** What the API needs of a cluster. */
export type ServedCluster = Pick<
  Cluster,
  | ('plan' | 'status' | 'exec' | 'console' | 'checkReach' | 'stop')
  | ('pause' | 'resume' | 'reset' | 'scaleOut' | 'scaleIn')
>

/** How an owner plans and starts its cluster: an argument, so that tests bring a cluster without VMs. */
export interface ClusterMaker {
  plan(settings: Settings): ClusterPlan
  start(settings: Settings, hooks: StartHooks): Promise<ServedCluster>
}

export interface OwnerOptions {
  readonly plan: ClusterPlan
  /** Begins the start; called at once. */
  start(hooks: Pick<StartHooks, 'onEvent' | 'signal'>): Promise<ServedCluster>
  /** Told once the cluster is gone, before anybody hears of it: closes the socket, gives the lock back. */
  leave(): Promise<void>
  readonly log: (text: string) => void
}

/**
 * A cluster from its first step to its last: `starting → ready → stopping → stopped`, and from `starting`
 * straight to `stopping` when it is called off.
 */
export class Owner {
  /** Resolves when every node is ready; rejects when that will not be, after all has been taken back. */
  readonly ready: Promise<Status>
  readonly #options: OwnerOptions
  readonly #starting: Promise<ServedCluster>
  readonly #abort = new AbortController()
  readonly #events = new Broadcast<ClusterEvent>()
  readonly #view: StartingStatus
  readonly #gone = defer()
  #cluster: ServedCluster | undefined
  #stopping: Promise<void> | undefined
  #state: ClusterState = 'starting'

  constructor(options: OwnerOptions) {
    this.#options = options
    this.#view = new StartingStatus(options.plan)
    this.#starting = options.start({ signal: this.#abort.signal, onEvent: event => this.#tell(event) })
    this.ready = this.#becomeReady()
    this.ready.catch(failure => options.log(`start failed: ${messageOf(failure)}`))
  }

  /** Resolves when nothing is left. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  status(): Status {
    const { name } = this.#options.plan
    return { ...(this.#cluster?.status() ?? this.#view.status()), name, state: this.#state }
  }

  /** The cluster, for what only a ready one can do. */
  cluster(): ServedCluster {
    if (this.#cluster && this.#state === 'ready') return this.#cluster
    throw new OwnerError({
      code: 'CLUSTER_NOT_READY',
      op: 'use cluster',
      target: this.#options.plan.name,
      reason: `it is ${this.#state}`,
      remedy:
        this.#state === 'starting' ? 'Wait for `xc start` to come back' : 'Start it again with `xc start`',
    })
  }

  /** The id of a node, given as `1` or `vm-001`. */
  nodeId(node: string | number): number {
    const { nodes, name: cluster } = this.#plan
    const id = idOf(node)
    if (nodes.some(found => found.id === id)) return id!
    throw nodeMissing(cluster, { asked: node, has: nodes.map(found => found.id) })
  }

  /** Scaling changes it. */
  get #plan(): ClusterPlan {
    return this.#cluster?.plan ?? this.#options.plan
  }

  /** What happens from now on. A listener that lags loses the oldest. */
  events(): Queue<ClusterEvent> {
    return this.#events.listen()
  }

  /** Tells everybody who listens, and the log. */
  notice(text: string): void {
    this.#options.log(text)
    this.#tell({ event: 'notice', text })
  }

  /** Takes everything back, be it ready or not; calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async #becomeReady(): Promise<Status> {
    try {
      this.#cluster = await this.#starting
    } catch (failure) {
      const calledOff = this.#stopping !== undefined
      await this.stop()
      throw calledOff ? startCancelled(this.#options.plan.name) : failure
    }
    if (this.#stopping !== undefined) {
      await this.#stopping
      throw startCancelled(this.#options.plan.name)
    }
    this.#state = 'ready'
    this.#tell({ event: 'cluster', state: 'ready' })
    return this.status()
  }

  async #end(): Promise<void> {
    this.#state = 'stopping'
    this.#tell({ event: 'cluster', state: 'stopping' })
    this.#abort.abort()
    try {
      // A start that failed has taken back its own; its reason goes to those who wait for `ready`.
      const cluster = await this.#starting.catch(() => undefined)
      await cluster?.stop()
    } finally {
      this.#state = 'stopped'
      this.#events.end()
      await this.#options.leave().finally(() => this.#gone.resolve())
    }
  }

  #tell(event: ClusterEvent): void {
    this.#view.hear(event)
    this.#events.send(event)
  }
}
