import { type Fabric, openBridgeFabric } from '../net/index.ts'
import type { ClusterPlan } from './plan-types.ts'

/** Makes the network of a cluster, of the kind that its settings ask for. */
export async function openNetwork({ bridges }: Pick<ClusterPlan, 'bridges'>): Promise<Fabric> {
  return await openBridgeFabric(bridges)
}
