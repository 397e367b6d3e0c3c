import { inTurns, messageOf } from '../src/base/index.ts'
import type { Lab } from '../src/cluster/index.ts'
import { takeCensus } from '../test/support/census.ts'
import { type Benchmark, median, type Result, resultOf, type Sample } from './benchmark.ts'
import { findHostResources } from './boot/host.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

const size = { nvm: 2, nrouters: 0, smp: 1 }
const aRound = 50
const atOnce = 4
/** Milliseconds in which two spares are made. */
const restMs = 4000

/** A random value of its own, and an answer of the other node. */
const question = 'cat /proc/sys/kernel/random/uuid; ping -c 1 -W 5 192.168.1.2 >/dev/null && cat /root/mark'

/**
 * A thousand forks of one frozen cluster, 50 a round and four at a time: in each, one node answers and reaches the other, and
 * has what was prepared and randomness of its own. Every second one is a spare. After each round nothing may be left.
 */
const forks: Benchmark = {
  rounds: { usual: 20, quick: 1 },
  needs: ['ip', 'nft', 'nsenter'],
  async prepare(scope) {
    const { places, accel } = await findHostResources(scope)
    const { prepareCluster } = await built('cluster')
    const prepare = async (cluster: Parameters<NonNullable<Parameters<typeof prepareCluster>[1]>>[0]) => {
      await cluster.exec(1, 'echo prepared >/root/mark', { check: true })
    }
    const lab = scope.add(await prepareCluster(size, prepare, { places }))
    const spared = scope.add(await prepareCluster(size, prepare, { places, spare: 2 }))
    const taken = new Forks([lab, spared])
    return {
      cases: [{ n: aRound, units: { ready: 'ms' }, variants: { fork: () => taken.round() } }],
      accel: accel.kind,
      results: () => taken.results(),
      failures: () => taken.failures,
    }
  },
}
export default forks

class Forks {
  readonly failures: string[] = []
  readonly #labs: readonly Lab[]
  readonly #seen = new Set<string>()
  #count = 0
  #failed = 0
  #leaked = 0

  constructor(labs: readonly Lab[]) {
    this.#labs = labs
  }

  async round(): Promise<Sample> {
    const [plain] = this.#labs
    await this.#one(plain!) // what the first fork loads stays open: it is not left by those that follow
    const times: number[] = []
    const one = async (index: number) => {
      times.push(await this.#one(this.#labs[index % this.#labs.length]!))
    }
    await inTurns(
      Array.from({ length: aRound }, (_, index) => index),
      one,
      { limit: atOnce },
    )
    await this.#mustBeGone()
    return { ready: median(times) }
  }

  results(): Result[] {
    const total = (name: string, count: number) =>
      resultOf({ name, variant: 'fork', n: size.nvm, unit: 'count' }, [count])
    return [total('forks', this.#count), total('failures', this.#failed), total('leaks', this.#leaked)]
  }

  /** Milliseconds until it was ready. */
  async #one(lab: Lab): Promise<number> {
    const label = `fork ${++this.#count}`
    const began = nowMs()
    try {
      await using cluster = await lab.fork()
      const ready = nowMs() - began
      const { stdout } = await cluster.exec(1, question, { check: true, timeoutMs: 30_000, encoding: 'utf8' })
      const [uuid = '', mark] = stdout.split('\n')
      if (mark !== 'prepared') throw new Error(`node 1 has '${mark}' of what was prepared`)
      if (this.#seen.has(uuid)) throw new Error(`another fork had the same random value: ${uuid}`)
      this.#seen.add(uuid)
      await cluster.stop({ graceMs: 0 })
      return ready
    } catch (failure) {
      this.#failed++
      this.failures.push(`${label}: ${messageOf(failure)}`)
      return nowMs() - began
    }
  }

  /** One fork more must leave what was there before it, when all others are gone and the spares stand still. */
  async #mustBeGone(): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, restMs))
    const census = await takeCensus()
    await this.#one(this.#labs[0]!)
    await census.expectUnchanged().catch(left => {
      this.#leaked++
      this.failures.push(messageOf(left))
    })
  }
}
