import type { Parts } from '../parts.ts'
import { RunningCluster } from '../running.ts'
import type { Cluster, StartHooks } from '../types.ts'

export interface ForkOptions extends Pick<StartHooks, 'onEvent' | 'signal' | 'timeoutMs' | 'logs'> {}

/** A cluster that a lab has forked. */
export interface Fork extends Cluster {
  /** The one that has taken its place. */
  readonly next: Fork | undefined
  /**
   * The cluster as it was when it was frozen: another fork, at once where there is a spare. This one is then taken away in
   * the background, and closing it does nothing more. The caller closes the other one; a second call gives the same. When
   * there is none, throws as {@link Lab.fork} does, and this one stays. What fails in the background is a notice for the
   * lab's `onEvent`, or, without that, an error of {@link Lab.dispose}, which waits for it.
   *
   * ```ts
   * await using used = await lab.fork()
   * await using fresh = await used.rewind()
   * ```
   */
  rewind(options?: ForkOptions): Promise<Fork>
}

/** What a fork asks of its lab. */
export interface ForkKeeper {
  fork(options: ForkOptions): Promise<Fork>
  /** Ends one that has another in its place. */
  takeAway(used: RunningFork): void
}

/** A fork, which its lab replaces when it is asked to. */
export class RunningFork extends RunningCluster implements Fork {
  readonly #keeper: ForkKeeper
  #replacing: Promise<Fork> | undefined
  #next: Fork | undefined

  constructor(parts: Parts, keeper: ForkKeeper) {
    super(parts)
    this.#keeper = keeper
  }

  get next(): Fork | undefined {
    return this.#next
  }

  rewind(options: ForkOptions = {}): Promise<Fork> {
    this.#replacing ??= this.#replace(options)
    return this.#replacing
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.#next ? Promise.resolve() : super[Symbol.asyncDispose]()
  }

  async #replace(options: ForkOptions): Promise<Fork> {
    try {
      this.#next = await this.#keeper.fork(options)
      this.#keeper.takeAway(this)
      return this.#next
    } catch (failure) {
      this.#replacing = undefined
      throw failure
    }
  }
}
