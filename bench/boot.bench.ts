import { type Benchmark, type Case, resultOf } from './benchmark.ts'
import { clusterRound, type Size } from './boot/cluster.ts'
import { type Ground, prepareGround } from './boot/ground.ts'
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

/** From nothing to a cluster that is ready, the original's way and ours; docs/benchmarks.md says what that means. */
const boot: Benchmark = {
  rounds: { usual: 5, quick: 2 },
  async prepare(scope) {
    const ground = await prepareGround(scope)
    const spec = await oneVmSpec(ground, scope)
    const { template, buildMs } = await oneVmTemplate(spec, ground, scope)
    const one: Case = {
      n: 1,
      units: { ready: 'ms', ...milestones },
      variants: { cold: () => oneVmRound(spec), clone: () => oneVmRound(spec, template) },
      ratios: [['clone', 'cold']],
    }
    return {
      cases: [one, six(ground)],
      accel: ground.accel.kind,
      results: () => [resultOf({ name: 'template', variant: 'clone', n: 1, unit: 'ms' }, [buildMs])],
    }
  },
}
export default boot

/** The default cluster. */
function six(ground: Ground): Case {
  const size: Size = { nvm: 4, nrouters: 2 }
  return {
    n: 6,
    units: { ready: 'ms', ...milestones, ...memory },
    variants: {
      original: () => originalRound(ground),
      cold: () => clusterRound(ground, size, 'off'),
    },
    ratios: [['cold', 'original']],
  }
}
