import { messageOf, settings } from '../src/base/index.ts'
import { takeCensus } from '../test/support/census.ts'
import { type Benchmark, type Result, resultOf, type Sample } from './benchmark.ts'
import { checkClones } from './boot/clone-check.ts'
import { mustBeClones } from './boot/cluster.ts'
import { type Ground, prepareGround } from './boot/ground.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

const size = { nvm: 2, nrouters: 1 }
const n = size.nvm + size.nrouters

/**
 * One start after the other of a small cluster of clones. Each is checked and stopped, and must leave nothing. One
 * that fails is counted and told, and the next one comes.
 */
const clones: Benchmark = {
  rounds: { usual: 300, quick: 10 },
  async prepare(scope) {
    const starts = new Starts(await prepareGround(scope))
    return {
      cases: [{ n, units: { ready: 'ms' }, variants: { clone: () => starts.next() } }],
      accel: starts.ground.accel.kind,
      results: () => starts.results(),
      failures: () => [...starts.failures, ...starts.leaks],
    }
  },
}
export default clones

class Starts {
  readonly ground: Ground
  readonly failures: string[] = []
  readonly leaks: string[] = []
  readonly #seen = new Set<string>()
  #count = 0

  constructor(ground: Ground) {
    this.ground = ground
  }

  async next(): Promise<Sample> {
    const census = await takeCensus()
    const label = `start ${this.#count++}`
    const sample = await this.#start(label).catch((failure): Sample => {
      this.failures.push(`${label}: ${messageOf(failure)}`)
      return {}
    })
    // What the first start loads stays: it is no leak of a start.
    if (this.#count > 1)
      await census.expectUnchanged().catch(left => this.leaks.push(`${label}: ${messageOf(left)}`))
    return sample
  }

  results(): Result[] {
    const total = (name: string, count: number) =>
      resultOf({ name, variant: 'clone', n, unit: 'count' }, [count])
    return [total('failures', this.failures.length), total('leaks', this.leaks.length)]
  }

  async #start(label: string): Promise<Sample> {
    const { startCluster } = await built('cluster')
    const began = nowMs()
    const options = { ...size, ...('clone' in settings && { clone: 'always' }) }
    await using cluster = await startCluster(options, { places: this.ground.places })
    const ready = nowMs() - began
    mustBeClones(cluster.status())
    const wrong = await checkClones(cluster, this.#seen)
    this.failures.push(...wrong.map(what => `${label}: ${what}`))
    await cluster.stop({ graceMs: 500 })
    return { ready }
  }
}
