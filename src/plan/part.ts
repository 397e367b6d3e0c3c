import type { ClusterPlan, NodePlan } from './types.ts'

/** All nodes of the lab: those of a plan, and those that other hosts have. */
export function everyNode({ nodes, elsewhere = [] }: Pick<ClusterPlan, 'nodes' | 'elsewhere'>): NodePlan[] {
  return [...nodes, ...elsewhere]
}

/** The part of a plan that one host has: these nodes, with the bridges that they or the host itself are on. */
export function partOf(plan: ClusterPlan, ids: ReadonlySet<number>): ClusterPlan {
  const nodes = plan.nodes.filter(({ id }) => ids.has(id))
  const nets = new Set([0, ...nodes.flatMap(node => node.nets.map(({ net }) => net))])
  const { bridges, taps } = plan.bridges
  return {
    ...plan,
    nodes,
    elsewhere: plan.nodes.filter(({ id }) => !ids.has(id)),
    bridges: {
      ...plan.bridges,
      bridges: bridges.filter(({ net, addresses }) => nets.has(net) || addresses.length > 0),
      taps: taps.filter(({ node }) => ids.has(node)),
    },
  }
}
