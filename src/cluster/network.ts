import type { Settings } from '../base/index.ts'
import { type Fabric, type FabricKind, openBridgeFabric, openUserFabric } from '../net/index.ts'
import type { ClusterPlan } from './plan-types.ts'

/** What kind of network the settings ask for. */
export function whichFabric({ fabric }: Pick<Settings, 'fabric'>): FabricKind {
  return fabric === 'user' ? 'user' : 'bridge'
}

/** What is done to make it, for people. */
export function wiringText({ bridges }: Pick<ClusterPlan, 'bridges'>, kind: FabricKind): string {
  if (kind === 'user') return 'looking that ports and multicast groups are free'
  return `making ${bridges.bridges.length} bridges and ${bridges.taps.length} taps`
}

/** Makes the network of a cluster. */
export async function openNetwork(
  { bridges }: Pick<ClusterPlan, 'bridges'>,
  { settings, kind }: { settings: Settings; kind: FabricKind },
): Promise<Fabric> {
  return kind === 'user' ? await openUserFabric(bridges, settings) : await openBridgeFabric(bridges)
}
