import type { Benchmark, Sample } from './benchmark.ts'
import { clusterRound } from './boot/cluster.ts'
import { findHostResources } from './boot/host.ts'

/** The default cluster, booted and cloned, with the fetched kernel and with one of `xc kernel build`, in turns. */
const kernels: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['cc', 'ip', 'nsenter'],
  async prepare(scope) {
    const kernel = process.env.XCLUSTER_BENCH_KERNEL
    if (kernel === undefined)
      throw new Error('XCLUSTER_BENCH_KERNEL names no kernel: XCLUSTER_BENCH_KERNEL="$(xc kernel build)"')
    const host = await findHostResources(scope)
    const round = async (clone: 'always' | 'off', own: { kernel?: string }): Promise<Sample> => {
      const { template: _, ...sample } = await clusterRound(host, { nvm: 4, nrouters: 2, ...own }, clone)
      return sample
    }
    const times = { ready: 'ms', kernel: 'ms', init: 'ms', agent: 'ms' } as const
    return {
      cases: [
        {
          n: 6,
          units: { ...times, cpu: 'ms', pss: 'MiB', private: 'MiB' },
          variants: {
            cold: () => round('off', {}),
            'cold-built': () => round('off', { kernel }),
            clone: () => round('always', {}),
            'clone-built': () => round('always', { kernel }),
          },
          ratiosOf: ['ready', 'cpu'],
          ratios: [
            ['cold-built', 'cold'],
            ['clone-built', 'clone'],
          ],
        },
      ],
      accel: host.accel.kind,
    }
  },
}
export default kernels
