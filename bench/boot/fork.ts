import type { ProgressEvent } from '../../src/api/index.ts'
import { Scope } from '../../src/base/index.ts'
import type { Cluster, Lab } from '../../src/cluster/index.ts'
import type { Sample } from '../benchmark.ts'
import { cpuOf, idsOf, memoryOf, namespacesHeld } from './cluster.ts'
import type { HostResources } from './host.ts'
import { nowMs, Prober } from './prober.ts'

/** Forks a cluster, waits until the prober sees all of its nodes, and removes it. */
export async function forkRound(
  host: HostResources,
  lab: Lab,
  size: { nvm: number; nrouters: number },
): Promise<Sample> {
  await using scope = new Scope()
  const prober = new Prober(host.prober, scope)
  const before = namespacesHeld()
  const began = nowMs()
  const onEvent = (event: ProgressEvent) => {
    if (event.type !== 'step' || event.step !== 'network' || event.state !== 'end') return
    const [, path] = Array.from(namespacesHeld()).find(([name]) => !before.has(name))!
    prober.watch(path, idsOf(size))
  }
  const cluster = scope.add(await lab.fork({ onEvent }))
  const ready = (await prober.ready) - began
  return { ready, ...costOf(cluster) }
}

/** The same of a spare, which stands ready: until every node has set its clock. Several forks at once: the last one. */
export async function spareRound(lab: Lab, count = 1): Promise<Sample> {
  const began = nowMs()
  const forks = await Promise.all(Array.from({ length: count }, () => lab.fork()))
  const ready = nowMs() - began
  const cost = costOf(forks[0]!)
  await Promise.all(forks.map(fork => fork.stop({ graceMs: 0 })))
  return { ready, ...cost }
}

function costOf(cluster: Cluster): Sample {
  const status = cluster.status()
  return { cpu: cpuOf(status), ...memoryOf(status) }
}
