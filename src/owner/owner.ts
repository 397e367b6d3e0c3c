import type { ClusterEvent, ClusterState, Counters, Status } from '../api/index.ts'
import { Broadcast, defer, messageOf, type Queue, systemClock } from '../base/index.ts'
import {
  type Cluster,
  type EventOptions,
  listenTo,
  type SharedSnapshot,
  type StartHooks,
  startCancelled,
} from '../cluster/index.ts'
import type { ClusterPlan, Settings } from '../plan/index.ts'
import { idOf, nodeMissing } from '../plan/index.ts'
import { Captures } from './captures.ts'
import { OwnerError } from './errors.ts'
import { StartingStatus } from './starting-status.ts'
import { Terminals } from './terminals.ts'

/** The part of a cluster that the API needs. */
export type ServedCluster = Pick<
  Cluster,
  | ('plan' | 'status' | 'exec' | 'relayCommand' | 'console' | 'checkReach' | 'verify' | 'stop')
  | ('names' | 'dnsFaults' | 'save')
  | (
      | 'pause'
      | 'resume'
      | 'halt'
      | 'reset'
      | 'capture'
      | 'counters'
      | 'metrics'
      | 'apply'
      | 'impair'
      | 'impaired'
      | 'scaleOut'
      | 'scaleIn'
    )
>

/** `from`: it is a fork of this snapshot. */
export interface MakerHooks extends StartHooks {
  readonly from?: SharedSnapshot
}

/** How an owner plans and starts its cluster: an argument, so that tests bring a cluster without VMs. */
export interface ClusterMaker {
  plan(settings: Settings): ClusterPlan
  start(settings: Settings, hooks: MakerHooks): Promise<ServedCluster>
}

export interface OwnerOptions {
  readonly plan: ClusterPlan
  /** Starts the cluster. The constructor calls it. */
  start(hooks: Pick<StartHooks, 'onEvent' | 'signal'>): Promise<ServedCluster>
  /** Closes the socket and releases the lock. Called when the cluster has ended, before `gone` resolves. */
  leave(): Promise<void>
  readonly log: (text: string) => void
  /** The directory of files of captures. It is made when it is needed. */
  readonly captures: string
  /** What events count. Undefined: nothing yet. Default: the cluster's own. */
  counters?(): Promise<Counters> | undefined
}

/**
 * A cluster from its start to its end: `starting → ready → stopping → stopped`. A start that fails or is cancelled goes
 * from `starting` to `stopping`.
 */
export class Owner {
  readonly captures: Captures
  /** The terminals on the nodes' consoles. */
  readonly terminals = new Terminals()
  /** Resolves when every node is ready. Rejects when the start has failed, after everything has been removed. */
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
    this.captures = new Captures(options.captures)
    this.#view = new StartingStatus(options.plan)
    this.#starting = options.start({ signal: this.#abort.signal, onEvent: event => this.#tell(event) })
    this.ready = this.#becomeReady()
    this.ready.catch(failure => options.log(`start failed: ${messageOf(failure)}`))
  }

  /** Resolves when everything has been removed. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  status(): Status {
    const { name } = this.#options.plan
    return { ...(this.#cluster?.status() ?? this.#view.status()), name, state: this.#state }
  }

  /** The cluster. Throws CLUSTER_NOT_READY unless it is ready. */
  cluster(): ServedCluster {
    if (this.#cluster && this.#state === 'ready') return this.#cluster
    throw new OwnerError({
      code: 'CLUSTER_NOT_READY',
      op: 'use cluster',
      target: this.#options.plan.name,
      reason: `it is ${this.#state}`,
      remedy:
        this.#state === 'starting' ? 'Wait until `xc start` has ended' : 'Start it again with `xc start`',
    })
  }

  /** The id of a node that is given as `1` or `vm-001`. Throws NODE_MISSING. */
  nodeId(node: string | number): number {
    const { nodes, name: cluster } = this.#plan
    const id = idOf(node)
    if (nodes.some(found => found.id === id)) return id!
    throw nodeMissing(cluster, { asked: node, has: nodes.map(found => found.id) })
  }

  /** The current plan. Scaling changes it. */
  get #plan(): ClusterPlan {
    return this.#cluster?.plan ?? this.#options.plan
  }

  /** All events from now on. A listener that lags loses the oldest. */
  events(options: EventOptions = {}): Queue<ClusterEvent> {
    const read = () => (this.#options.counters ? this.#options.counters() : this.#cluster?.counters())
    return listenTo(this.#events, options, { clock: systemClock, read })
  }

  /** Tells all listeners of what happens on another host. */
  relay(event: ClusterEvent): void {
    this.#events.send(event)
  }

  /** Sends a notice to all listeners, and writes it to the log. */
  notice(text: string): void {
    this.#options.log(text)
    this.#tell({ type: 'notice', text })
  }

  /** Stops the cluster, or cancels its start, and removes everything. A second call waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async #becomeReady(): Promise<Status> {
    try {
      this.#cluster = await this.#starting
    } catch (failure) {
      const cancelled = this.#stopping !== undefined
      await this.stop()
      throw cancelled ? startCancelled(this.#options.plan.name) : failure
    }
    if (this.#stopping !== undefined) {
      await this.#stopping
      throw startCancelled(this.#options.plan.name)
    }
    this.#state = 'ready'
    this.#tell({ type: 'cluster', state: 'ready' })
    return this.status()
  }

  async #end(): Promise<void> {
    this.#state = 'stopping'
    this.#tell({ type: 'cluster', state: 'stopping' })
    this.#abort.abort()
    try {
      // A start that failed has removed everything itself. `ready` rejects with its reason.
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
