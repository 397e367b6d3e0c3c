import { defer } from '../../base/index.ts'
import type { Zygote } from '../../vm/index.ts'
import type { ClusterNode } from '../nodes/node.ts'

/** What forks are forked from, by the numbers of their nodes. */
export type Zygotes = ReadonlyMap<number, Zygote>

/** How a cluster is started that stands still until `signal`. */
type Start = (how: {
  readonly forkable: true
  readonly hold: (nodes: readonly ClusterNode[]) => Promise<void>
  readonly signal: AbortSignal
}) => Promise<AsyncDisposable>

/**
 * One cluster that has been restored and warmed up, and stands still: forks are copies of its processes. They share memory
 * and translated code with it, and cost a few milliseconds each (docs/decisions/cloning.md). It has its own network.
 */
export class StandingCluster implements AsyncDisposable {
  /** Undefined when it could not be started: forks are then restored one by one. */
  readonly zygotes: Promise<Zygotes | undefined>
  readonly #ending = new AbortController()
  readonly #ended: Promise<unknown>

  constructor(start: Start, failed: (failure: unknown) => void) {
    const standing = defer<Zygotes | undefined>()
    const hold = async (nodes: readonly ClusterNode[]) => {
      standing.resolve(new Map(nodes.flatMap(({ plan, zygote }) => (zygote ? [[plan.id, zygote]] : []))))
      await new Promise<never>(() => {}) // its end is that of the signal
    }
    this.zygotes = standing.promise
    this.#ended = start({ forkable: true, hold, signal: this.#ending.signal }).catch(failure => {
      standing.resolve(undefined)
      if (!this.#ending.signal.aborted) failed(failure)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }
}
