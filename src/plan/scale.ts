import { nodeName, roleOf } from '../base/index.ts'
import { mustSuffice, noNodes, planNodes } from './cluster.ts'
import { PlanError } from './errors.ts'
import { newId, nodeMissing } from './node-ids.ts'
import type { Settings } from './settings/settings.ts'
import { topologyOf } from './topology/named/index.ts'
import type { ClusterPlan } from './types.ts'

/**
 * The plan with more nodes. Throws NODE_NUMBER for an id that no node can have, and NODE_EXISTS for one that
 * the plan has already.
 */
export function scaledOut(settings: Settings, plan: ClusterPlan, ids: readonly number[]): ClusterPlan {
  for (const id of ids) {
    if (has(plan, newId(id))) throw exists(plan.name, id)
  }
  return planNodes(settings, sorted([...plan.nodes.map(node => node.id), ...ids]))
}

/**
 * The plan without some nodes. Throws NODE_MISSING for one that the plan does not have, and NO_NODES or
 * TOPOLOGY_COUNT when too few would be left.
 */
export function scaledIn(settings: Settings, plan: ClusterPlan, ids: readonly number[]): ClusterPlan {
  for (const id of ids) if (!has(plan, id)) throw missing(plan, id)
  const left = plan.nodes.map(node => node.id).filter(id => !ids.includes(id))
  if (left.length === 0) throw noNodes(plan.name, 'Keep at least one node, or stop the cluster')
  for (const role of ['router', 'tester'] as const) {
    const count = left.filter(id => roleOf(id) === role).length
    mustSuffice(count, topologyOf(settings.topology), `${role}s`)
  }
  return planNodes(settings, left)
}

/** Ascending. The ranges of the roles are in this order too. */
function sorted(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b)
}

export function missing({ name, nodes }: ClusterPlan, asked: number): PlanError {
  return nodeMissing(name, { asked, has: nodes.map(({ id }) => id) })
}

function has({ nodes }: ClusterPlan, id: number): boolean {
  return nodes.some(node => node.id === id)
}

function exists(cluster: string, id: number): PlanError {
  const reason = `cluster '${cluster}' already has node ${nodeName(id)}`
  return new PlanError({ code: 'NODE_EXISTS', kind: 'usage', reason, remedy: 'Use another number' })
}
