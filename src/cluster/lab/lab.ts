import { defer, messageOf, Scope, unlessAborted } from '../../base/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { ClusterError, startCancelled } from '../errors.ts'
import { forkIn, running } from '../start.ts'
import type { SavedSnapshot, StartHooks } from '../types.ts'
import type { ClusterWorld } from '../world.ts'
import { type Fork, type ForkKeeper, type ForkOptions, RunningFork } from './fork.ts'
import type { FrozenCluster } from './frozen.ts'
import { saveFrozen } from './save.ts'
import { StandingCluster, type Zygotes } from './zygotes.ts'

export interface LabOptions extends Pick<StartHooks, 'onEvent' | 'places' | 'net'> {
  /** How many forks are kept ready, restored and paused. One that is taken is replaced at once. Default: 0. */
  readonly spare?: number
}

/** A fork that is being restored, or stands still. */
interface Spare {
  /** Lets it go on. Undefined: it cannot be had, because it has failed. */
  release(): Promise<RunningFork | undefined>
}

/**
 * A frozen cluster, from which any number of clusters are forked, also at the same time: each in a network of its own,
 * with the names, addresses, processes and connections that the nodes had. Closing it ends all of its forks.
 */
export class Lab implements AsyncDisposable {
  readonly #world: ClusterWorld
  readonly #frozen: FrozenCluster
  readonly #options: LabOptions
  readonly #spares: Spare[] = []
  readonly #forks = new Set<RunningFork>()
  readonly #underway = new Set<Promise<unknown>>()
  readonly #keeper: ForkKeeper
  /** Of forks that were taken away in the background. */
  readonly #failures: unknown[] = []
  readonly #ending = new AbortController()
  readonly #standing: StandingCluster | undefined
  #closing: Promise<void> | undefined

  constructor(world: ClusterWorld, frozen: FrozenCluster, options: LabOptions) {
    this.#world = world
    this.#frozen = frozen
    this.#options = options
    this.#keeper = { fork: wanted => this.fork(wanted), takeAway: used => this.#takeAway(used) }
    // Under KVM the kernel has the state of a guest's processors.
    if (world.forksQemu && frozen.host.accel.kind === 'tcg') this.#standing = this.#standStill()
    this.#refill()
  }

  get plan(): ClusterPlan {
    return this.#frozen.plan
  }

  /** Milliseconds between the first and the last node that stood still when it was frozen. */
  get spreadMs(): number {
    return this.#frozen.spreadMs
  }

  /**
   * A cluster as it was when it was frozen, which the caller closes. It is a spare, if there is one and `options` do not
   * say how to start it. Throws as a start does, and LAB_CLOSED.
   */
  async fork(options: ForkOptions = {}): Promise<Fork> {
    if (this.#ending.signal.aborted) throw closed()
    const mayBeSpare = options.logs === undefined && options.onEvent === undefined
    const spare = mayBeSpare ? this.#spares.shift() : undefined
    try {
      return (await spare?.release()) ?? (await this.#start(options))
    } finally {
      this.#refill()
    }
  }

  /**
   * Writes it to the disk under a name, for {@link openLab} in this process or another. Throws SNAPSHOT_NAME,
   * SNAPSHOT_TAKEN, SNAPSHOT_FAILED and LAB_CLOSED.
   */
  async save(snapshot: string): Promise<SavedSnapshot> {
    if (this.#ending.signal.aborted) throw closed()
    const places = this.#options.places ?? this.#world.environment.places
    const saving = saveFrozen(this.#frozen, { places, snapshot })
    this.#underway.add(saving)
    try {
      return await saving
    } finally {
      this.#underway.delete(saving)
    }
  }

  /**
   * Ends all forks, waits for those that are being taken away, and frees what was saved. Throws what failed in the background,
   * if no `onEvent` was told of it.
   */
  dispose(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #close(): Promise<void> {
    await using scope = new Scope()
    scope.add(this.#frozen)
    if (this.#standing) scope.add(this.#standing)
    this.#ending.abort(closed())
    await Promise.allSettled(this.#underway)
    for (const failure of this.#failures) scope.defer(() => Promise.reject(failure))
    for (const fork of this.#forks) scope.defer(() => fork.stop({ graceMs: 0 }))
  }

  /** Its end is waited for by the lab's. */
  #takeAway(used: RunningFork): void {
    const { onEvent } = this.#options
    const ending = used.stop({ graceMs: 0 }).catch(failure => {
      if (!onEvent) this.#failures.push(failure)
      onEvent?.({ type: 'notice', text: `A used fork was not taken away: ${messageOf(failure)}` })
    })
    this.#underway.add(ending)
    void ending.then(() => this.#underway.delete(ending))
  }

  #standStill(): StandingCluster {
    const { onEvent, spare: _, ...shared } = this.#options
    return new StandingCluster(
      how => forkIn(this.#world, this.#frozen, { ...shared, ...how, make: running }),
      failure => onEvent?.({ type: 'notice', text: `Forks are restored one by one: ${messageOf(failure)}` }),
    )
  }

  async #start(options: ForkOptions, hold?: () => Promise<void>): Promise<RunningFork> {
    const starting = this.#fork(options, hold)
    this.#underway.add(starting)
    try {
      const cluster = await starting
      this.#forks.add(cluster)
      void cluster.ended.then(() => this.#forks.delete(cluster))
      return cluster
    } finally {
      this.#underway.delete(starting)
    }
  }

  async #fork({ signal: asked, ...options }: ForkOptions, hold?: () => Promise<void>): Promise<RunningFork> {
    const { spare: _, ...shared } = this.#options
    const signal = AbortSignal.any([this.#ending.signal, ...(asked ? [asked] : [])])
    const zygotes = await unlessAborted(this.#zygotes(), signal, cause =>
      startCancelled(this.plan.name, cause),
    )
    return await forkIn(this.#world, this.#frozen, {
      ...{ ...shared, ...options, signal },
      ...(hold && { hold }),
      ...(zygotes && { zygotes }),
      make: parts => new RunningFork(parts, this.#keeper),
    })
  }

  async #zygotes(): Promise<Zygotes | undefined> {
    return await this.#standing?.zygotes
  }

  #refill(): void {
    const { spare = 0 } = this.#options
    while (!this.#ending.signal.aborted && this.#spares.length < spare) this.#spares.push(this.#spare())
  }

  #spare(): Spare {
    const released = defer()
    const cluster = this.#start({}, () => released.promise)
    cluster.catch(() => {}) // the fork that takes it hears of it
    return {
      release: () => {
        released.resolve()
        return cluster.catch(() => undefined)
      },
    }
  }
}

function closed(): ClusterError {
  return new ClusterError({
    code: 'LAB_CLOSED',
    op: 'use frozen cluster',
    target: 'cluster',
    reason: 'its frozen cluster has been closed',
    remedy: 'Prepare another one',
  })
}
