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

/**
 * The same of a spare, which stands ready: until every node has set its clock. Several forks at once: the last one. The cost
 * is the mean of all nodes; `process` is what this process took for each fork.
 */
export async function spareRound(lab: Lab, count = 1): Promise<Sample> {
  const [began, before] = [nowMs(), process.cpuUsage()]
  const forks = await Promise.all(Array.from({ length: count }, () => lab.fork()))
  const ready = nowMs() - began
  const { user, system } = process.cpuUsage(before)
  const cost = costOf(...forks)
  await Promise.all(forks.map(fork => fork.stop({ graceMs: 0 })))
  return { ready, ...cost, process: (user + system) / 1000 / count }
}

/** Ten forks, one after the other: the mean of what each takes. */
export async function inARow(lab: Lab): Promise<Sample> {
  const samples: Sample[] = []
  for (let count = 0; count < 10; count++) samples.push(await spareRound(lab))
  const mean = (name: string) => samples.reduce((sum, sample) => sum + sample[name]!, 0) / samples.length
  return Object.fromEntries(Object.keys(samples[0]!).map(name => [name, mean(name)]))
}

function costOf(...clusters: Cluster[]): Sample {
  const status = { ...clusters[0]!.status(), nodes: clusters.flatMap(cluster => cluster.status().nodes) }
  return { cpu: cpuOf(status), ...memoryOf(status) }
}
