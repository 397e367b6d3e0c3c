import type { Lab } from '../src/cluster/index.ts'
import { type Benchmark, resultOf } from './benchmark.ts'
import { coldForks } from './boot/cli.ts'
import { clusterRound } from './boot/cluster.ts'
import { forkRound, inARow, spareRound } from './boot/fork.ts'
import { findHostResources } from './boot/host.ts'
import { originalRound } from './boot/original.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

const size = { nvm: 4, nrouters: 2 }
/** Milliseconds in which a spare is made: rounds that take it begin after that. */
const restMs = 3000

/**
 * Six nodes that go on from a frozen cluster, beside those that are cloned, and those of the original; and one node many
 * times at once, beside once.
 */
const fork: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['cc', 'ip', 'nsenter'],
  async prepare(scope) {
    const host = await findHostResources(scope)
    const { prepareCluster } = await built('cluster')
    const prepares: number[] = []
    const labOf = async (spare: number): Promise<Lab> => {
      const began = nowMs()
      const lab = scope.add(await prepareCluster(size, undefined, { places: host.places, spare }))
      prepares.push(nowMs() - began)
      return lab
    }
    await clusterRound(host, size, 'always') // makes the templates
    const lab = await labOf(0)
    const spared = await labOf(1)
    const units = { ready: 'ms', cpu: 'ms', pss: 'MiB', private: 'MiB' } as const
    const variants = {
      original: () => originalRound(host),
      clone: async () => {
        const { template: _, ...sample } = await clusterRound(host, size, 'always')
        return sample
      },
      fork: () => forkRound(host, lab, size),
      'fork-spare': async () => {
        const sample = await spareRound(spared)
        await new Promise(resolve => setTimeout(resolve, restMs))
        return sample
      },
      'fork-8': () => spareRound(lab, 8),
      'fork-cold': await coldForks(host.places, scope),
    }
    const ratios = [
      ['original', 'fork'],
      ['original', 'fork-spare'],
      ['original', 'fork-cold'],
      ['original', 'clone'],
      ['fork', 'clone'],
    ] as const
    const prepared = () => [resultOf({ name: 'prepare', variant: 'fork', n: 6, unit: 'ms' }, prepares)]
    const one = scope.add(await prepareCluster({ nvm: 1, nrouters: 0 }, undefined, { places: host.places }))
    const fans = {
      n: 1,
      units: { ready: 'ms', cpu: 'ms', process: 'ms' } as const,
      variants: { fork: () => inARow(one), 'fork-25': () => spareRound(one, 25) },
      ratios: [['fork-25', 'fork']] as const,
      ratiosOf: ['cpu', 'process'],
    }
    return { cases: [{ n: 6, units, variants, ratios }, fans], accel: host.accel.kind, results: prepared }
  },
}
export default fork
