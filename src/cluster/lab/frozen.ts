import { inTurns, Scope } from '../../base/index.ts'
import type { HostResources, NodeAdditions } from '../../host/index.ts'
import type { ClusterPlan, Settings } from '../../plan/index.ts'
import type { Template } from '../../vm/index.ts'
import type { ClusterNode } from '../nodes/node.ts'

/** The VMs of a cluster as they were at one moment. */
export interface FrozenNodes extends AsyncDisposable {
  /** By the numbers of their nodes. */
  readonly vms: ReadonlyMap<number, Template>
  /** Milliseconds between the first and the last node that stood still. */
  readonly spreadMs: number
}

/** A cluster that has been frozen, ready to be forked any number of times. */
export interface FrozenCluster extends FrozenNodes {
  readonly plan: ClusterPlan
  readonly settings: Settings
  readonly host: HostResources
  readonly additions: NodeAdditions
}

/** How many nodes save their state at a time. */
const atOnce = 4

/** Lets all nodes stand still, then saves and ends them. After a failure those that stood still go on standing. */
export async function freezeAll(nodes: readonly ClusterNode[]): Promise<FrozenNodes> {
  const stood = await Promise.all(nodes.map(node => node.standStill()))
  const vms = new Map<number, Template>()
  await using unlessDone = new Scope()
  const one = async (node: ClusterNode) => {
    vms.set(node.plan.id, unlessDone.add(await node.freeze()))
  }
  await inTurns(nodes, one, { limit: atOnce })
  const scope = unlessDone.move()
  const spreadMs = Math.max(...stood) - Math.min(...stood)
  return { vms, spreadMs, [Symbol.asyncDispose]: () => scope.close() }
}
