import { type Benchmark, type Case, resultOf } from './benchmark.ts'
import { cliRound } from './boot/cli.ts'
import { clusterRound, type Size } from './boot/cluster.ts'
import { findHostResources, type HostResources } from './boot/host.ts'
import { oneVmRound, oneVmSpec, oneVmTemplate } from './boot/one-vm.ts'
import { originalRound } from './boot/original.ts'

const milestones = {
  spawned: 'ms',
  qmp: 'ms',
  kernel: 'ms',
  init: 'ms',
  agent: 'ms',
  identity: 'ms',
} as const
const memory = { pss: 'MiB', private: 'MiB' } as const

/**
 * From nothing to a ready cluster, by the original xcluster and by this one. docs/benchmarks.md defines
 * ready.
 */
const boot: Benchmark = {
  rounds: { usual: 5, quick: 2 },
  needs: ['cc', 'ip', 'nsenter'],
  async prepare(scope) {
    const host = await findHostResources(scope)
    const spec = await oneVmSpec(host, scope)
    const { template, buildMs } = await oneVmTemplate(spec, host, scope)
    const one: Case = {
      n: 1,
      units: { ready: 'ms', ...milestones },
      variants: { cold: () => oneVmRound(spec), clone: () => oneVmRound(spec, template) },
      ratios: [['clone', 'cold']],
    }
    const builds: number[] = []
    const row = (n: number, samples: readonly number[]) =>
      samples.length > 0 ? [resultOf({ name: 'template', variant: 'clone', n, unit: 'ms' }, samples)] : []
    return {
      cases: [one, six(host, builds), hundred(host)],
      accel: host.accel.kind,
      results: () => [...row(1, [buildMs]), ...row(6, builds)],
    }
  },
}
export default boot

/** The default cluster. `builds` receives the time that its first start took to build templates. */
function six(host: HostResources, builds: number[]): Case {
  const size: Size = { nvm: 4, nrouters: 2 }
  return {
    n: 6,
    units: { ready: 'ms', ...milestones, ...memory },
    variants: {
      original: () => originalRound(host),
      cold: () => clusterRound(host, size, 'off'),
      clone: async () => {
        const { template, ...sample } = await clusterRound(host, size, 'always')
        if (template !== undefined) builds.push(template)
        return sample
      },
      cli: () => cliRound(host.places),
    },
    ratios: [
      ['clone', 'original'],
      ['cold', 'original'],
      ['clone', 'cold'],
      ['cli', 'clone'],
    ],
  }
}

/**
 * Until each node has its identity. The echo request is left out: for its answer every guest asks for the
 * host's Ethernet address, which wakes up all the others. Nodes have one processor each; and two, the
 * default, whose cost shows on a host with fewer processors than nodes.
 */
function hundred(host: HostResources): Case {
  const size: Size = { nvm: 98, nrouters: 2, unseen: true }
  return {
    n: 100,
    units: { ready: 'ms', ...milestones, ...memory },
    variants: {
      clone: () => clusterRound(host, { ...size, smp: 1 }, 'always'),
      'clone-smp2': () => clusterRound(host, size, 'always'),
    },
  }
}
