import { nodeName, roleOf } from '../base/index.ts'
import { mustSuffice, noNodes, planNodes } from './cluster.ts'
import { PlanError } from './errors.ts'
import { newId, nodeMissing } from './node-ids.ts'
import type { Settings } from './settings/settings.ts'
import { topologyOf } from './topology/named/index.ts'
import type { ClusterPlan } from './types.ts'

/** The plan with more nodes. Refuses numbers that are no node's, or are in it. */
export function scaledOut(settings: Settings, plan: ClusterPlan, ids: readonly number[]): ClusterPlan {
  for (const id of ids) {
    if (has(plan, newId(id))) throw exists(plan.name, id)
  }
  return planNodes(settings, sorted([...plan.nodes.map(node => node.id), ...ids]))
}

/** The plan without some nodes. Refuses those that are not in it, and to leave fewer than there have to be. */
export function scaledIn(settings: Settings, plan: ClusterPlan, ids: readonly number[]): ClusterPlan {
  for (const id of ids) if (!has(plan, id)) throw missing(plan, id)
  const left = plan.nodes.map(node => node.id).filter(id => !ids.includes(id))
  if (left.length === 0) throw noNodes(plan.name, 'Leave one, or stop the cluster (xc stop)')
  for (const role of ['router', 'tester'] as const) {
    const count = left.filter(id => roleOf(id) === role).length
    mustSuffice(count, topologyOf(settings.topology), `${role}s`)
  }
  return planNodes(settings, left)
}

/** Roles have their numbers in this order, too. */
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
  const reason = `cluster '${cluster}' has ${nodeName(id)} already`
  return new PlanError({ code: 'NODE_EXISTS', kind: 'usage', reason, remedy: 'Take another number' })
}
