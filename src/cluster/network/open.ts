import { messageOf } from '../../base/index.ts'
import { type Fabric, mayFallBack, openUserFabric } from '../../net/index.ts'
import type { ClusterPlan, Settings } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { type NetworkOptions, openBridgeNetwork, refuseSettings } from './bridge.ts'

type Wanted = Pick<ClusterPlan, 'name' | 'prefix' | 'bridges' | 'nodes'>

/** What is done to make it, for people. */
export function wiringText({ bridges }: Wanted, { fabric, netSetup }: Settings): string {
  if (netSetup !== '') return `making room for what ${netSetup} makes`
  if (fabric === 'user') return 'looking whether ports and multicast groups are free'
  return `making ${bridges.bridges.length} bridges and ${bridges.taps.length} taps`
}

/** Makes the network of a cluster, of the kind that its settings ask for: bridges wherever they are to be had. */
export async function openNetwork(plan: Wanted, wish: NetworkOptions): Promise<Fabric> {
  const { settings, notice } = wish
  refuseSettings(settings)
  if (settings.fabric === 'user') return await openUserSpace(plan, settings)
  try {
    return await openBridgeNetwork(plan, wish)
  } catch (failure) {
    if (!mayFallBack(settings, failure)) throw failure
    notice(
      `The network is in user space, where nodes do not reach each other on net 0: ${messageOf(failure)}`,
    )
    return await openUserSpace(plan, settings)
  }
}

/**
 * A segment gives everybody his own frames back. A guest that bridges two of them would send each to the other,
 * for ever.
 */
async function openUserSpace({ bridges, nodes }: Wanted, settings: Settings): Promise<Fabric> {
  const bridging = nodes.find(({ setup }) => setup.bridges.length > 0)
  if (!bridging) return await openUserFabric(bridges, settings)
  throw new ClusterError({
    code: 'BRIDGES_ON_SEGMENTS',
    kind: 'prerequisite',
    op: 'make network in user space',
    target: settings.topology,
    reason: `${bridging.name} bridges its nets, and multicast segments would echo every frame for ever`,
    remedy: 'Use --fabric bridge, which takes root or user namespaces',
  })
}
