import type { ProgressEvent } from '../src/api/index.ts'
import { messageOf } from '../src/base/index.ts'
import { takeCensus } from '../test/support/census.ts'
import { type Benchmark, type Result, resultOf, type Sample } from './benchmark.ts'
import { checkClones } from './boot/clone-check.ts'
import { mustBeClones } from './boot/cluster.ts'
import { findHostResources, type HostResources } from './boot/host.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

const size = { nvm: 2, nrouters: 1 }
const n = size.nvm + size.nrouters

/**
 * Starts a small cluster of clones again and again. Each is checked and stopped, and must leave nothing
 * behind. A failed start is counted and reported, and the next one follows.
 */
const clones: Benchmark = {
  rounds: { usual: 300, quick: 10 },
  needs: ['ip', 'nft', 'nsenter'],
  async prepare(scope) {
    const starts = new Starts(await findHostResources(scope))
    return {
      cases: [{ n, units: { ready: 'ms' }, variants: { clone: () => starts.next() } }],
      accel: starts.host.accel.kind,
      results: () => starts.results(),
      failures: () => starts.failures,
    }
  },
}
export default clones

class Starts {
  readonly host: HostResources
  /** What went wrong, with the number of the start. */
  readonly failures: string[] = []
  readonly #seen = new Set<string>()
  #count = 0
  #failed = 0
  #leaked = 0

  constructor(host: HostResources) {
    this.host = host
  }

  async next(): Promise<Sample> {
    const census = await takeCensus()
    const label = `start ${this.#count++}`
    const wrong: string[] = []
    const sample = await this.#start(wrong).catch((failure): Sample => {
      wrong.push(messageOf(failure))
      return {}
    })
    if (wrong.length > 0) this.#failed++
    try {
      // What the first start loads stays open: a start does not leak it.
      if (this.#count > 1) await census.expectUnchanged()
    } catch (left) {
      wrong.push(messageOf(left))
      this.#leaked++
    }
    this.failures.push(...wrong.map(what => `${label}: ${what}`))
    return sample
  }

  results(): Result[] {
    const total = (name: string, count: number) =>
      resultOf({ name, variant: 'clone', n, unit: 'count' }, [count])
    return [total('failures', this.#failed), total('leaks', this.#leaked)]
  }

  async #start(wrong: string[]): Promise<Sample> {
    const { startCluster } = await built('cluster')
    const began = nowMs()
    const notices: string[] = []
    const onEvent = (event: ProgressEvent) => event.type === 'notice' && notices.push(event.text)
    const hooks = { places: this.host.places, onEvent }
    await using cluster = await startCluster({ ...size, clone: 'always' }, hooks)
    const ready = nowMs() - began
    mustBeClones(cluster.status(), notices)
    wrong.push(...(await checkClones(cluster, this.#seen)))
    await cluster.stop({ graceMs: 500 })
    return { ready }
  }
}
