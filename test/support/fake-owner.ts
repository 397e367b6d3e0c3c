import { systemClock } from '../../src/base/index.ts'
import { startIn } from '../../src/cluster/start.ts'
import { runOwner } from '../../src/owner/run.ts'
import { planCluster } from '../../src/plan/index.ts'
import { adoptStream } from '../../src/sys/index.ts'
import type { Behaviour } from './fake-vm.ts'
import { FakeWorld } from './fake-world.ts'

/** The behaviour of an owner process in a test, as JSON in XCLUSTER_TEST_SCENARIO. */
export interface Scenario {
  /** By node: one behaviour for each start of its VM. */
  readonly vms?: Readonly<Record<string, readonly Behaviour[]>>
  /** The resource that cannot be closed: `network`, `dns`. */
  readonly stuck?: string
}

// The main module of an owner process whose cluster has no VMs: src/owner/main.ts with a FakeWorld.
const { vms = {}, stuck }: Scenario = JSON.parse(process.env.XCLUSTER_TEST_SCENARIO ?? '{}')
const world = new FakeWorld(systemClock)
for (const [name, behaviours] of Object.entries(vms)) world.vms.behave(name, ...behaviours)
world.stuck = stuck
const print = (text: string) => console.error(text)
await runOwner({
  port: adoptStream(3),
  maker: { plan: planCluster, start: (settings, hooks) => startIn(world, settings, hooks) },
  log: print,
  print,
})
process.exit(0)
