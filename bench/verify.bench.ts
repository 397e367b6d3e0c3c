import { type Cluster, startCluster } from '../src/index.ts'
import type { Benchmark, Sample } from './benchmark.ts'

const size = { nvm: 12, nrouters: 2, ntesters: 2, mem: 128 }
const n = size.nvm + size.nrouters + size.ntesters

/** How long it takes to compare all nodes with the plan, beside pings from each to each. */
const verify: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  async prepare(scope) {
    const cluster = await startCluster(size)
    scope.defer(() => cluster.stop())
    const variants = {
      verify: () => timed(async () => isPlanned(await cluster.verify())),
      checkReach: () => timed(async () => (await cluster.checkReach()).every(({ ok }) => ok)),
    }
    return { cases: [{ n, units: { whole: 'ms' }, variants, ratios: [['verify', 'checkReach']] }] }
  },
}
export default verify

function isPlanned({ differences, unverified }: Awaited<ReturnType<Cluster['verify']>>): boolean {
  return differences.length === 0 && unverified.length === 0
}

async function timed(work: () => Promise<boolean>): Promise<Sample> {
  const start = performance.now()
  if (!(await work())) throw new Error('the cluster is not as planned')
  return { whole: performance.now() - start }
}
