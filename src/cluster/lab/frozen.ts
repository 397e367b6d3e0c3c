import type { ImpairedLink } from '../../api/index.ts'
import { inTurns, Scope } from '../../base/index.ts'
import type { HostResources, NodeAdditions } from '../../host/index.ts'
import type { ClusterPlan, Settings } from '../../plan/index.ts'
import type { SavedVm, Template } from '../../vm/index.ts'
import type { ClusterNode } from '../nodes/node.ts'

/** The VMs of a cluster as they were at one moment. */
export interface FrozenNodes<Vm extends AsyncDisposable = Template> extends AsyncDisposable {
  /** By the numbers of their nodes. */
  readonly vms: ReadonlyMap<number, Vm>
  /** Milliseconds between the first and the last node that stood still. */
  readonly spreadMs: number
}

/** A cluster that has been frozen, ready to be forked any number of times. */
export interface FrozenCluster extends FrozenNodes {
  readonly plan: ClusterPlan
  readonly impaired: readonly ImpairedLink[]
  readonly settings: Settings
  readonly host: HostResources
  readonly additions: NodeAdditions
  /** A function made its network: who forks it brings one too. */
  readonly ownNet: boolean
}

/** How many nodes save their state at a time. */
const atOnce = 4

/** Lets all nodes stand still, then saves and ends them. After a failure those that stood still go on standing. */
export function freezeAll(nodes: readonly ClusterNode[]): Promise<FrozenNodes> {
  return frozenWith(nodes, node => node.freeze())
}

/** The same without an end: they stand still. */
export function holdAll(nodes: readonly ClusterNode[]): Promise<FrozenNodes<SavedVm>> {
  return frozenWith(nodes, node => node.save())
}

async function frozenWith<Vm extends AsyncDisposable>(
  nodes: readonly ClusterNode[],
  save: (node: ClusterNode) => Promise<Vm>,
): Promise<FrozenNodes<Vm>> {
  const stood = await Promise.all(nodes.map(node => node.standStill()))
  const saved = new Map<number, Vm>()
  await using unlessDone = new Scope()
  const one = async (node: ClusterNode) => {
    saved.set(node.plan.id, unlessDone.add(await save(node)))
  }
  await inTurns(nodes, one, { limit: atOnce })
  const vms = new Map(nodes.map(({ plan: { id } }) => [id, saved.get(id)!]))
  const scope = unlessDone.move()
  const spreadMs = Math.round(10 * (Math.max(...stood) - Math.min(...stood))) / 10
  return { vms, spreadMs, [Symbol.asyncDispose]: () => scope.close() }
}
