import { messageOf, settingText } from '../../base/index.ts'
import { type Fabric, mayFallBack, openUserFabric } from '../../net/index.ts'
import { type ClusterPlan, type Settings, topologyName } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { type NetworkOptions, openBridgeNetwork, refuseSettings } from './bridge.ts'

type NetworkPlan = Pick<ClusterPlan, 'name' | 'prefix' | 'bridges' | 'nodes'>

/** The text of the start's `network` step. */
export function wiringText({ bridges }: NetworkPlan, { fabric, netSetup }: Settings): string {
  if (netSetup !== '') return `preparing the network for ${netSetup}`
  if (fabric === 'user') return 'checking that ports and multicast groups are free'
  return `making ${bridges.bridges.length} bridges and ${bridges.taps.length} taps`
}

/**
 * Makes the network of a cluster, of the kind in its settings. With `fabric: 'auto'` that is bridges, or a user-space
 * network where this process may not make bridges.
 */
export async function openNetwork(plan: NetworkPlan, options: NetworkOptions): Promise<Fabric> {
  const { settings, notice } = options
  refuseSettings(settings)
  if (settings.fabric === 'user') return await openUserSpace(plan, settings)
  try {
    return await openBridgeNetwork(plan, options)
  } catch (failure) {
    if (!mayFallBack(settings, failure)) throw failure
    notice(
      `The network is in user space, where nodes cannot reach each other on net 0: ${messageOf(failure)}`,
    )
    return await openUserSpace(plan, settings)
  }
}

async function openUserSpace(plan: NetworkPlan, settings: Settings): Promise<Fabric> {
  refuseBridging(plan, settings)
  return await openUserFabric(plan.bridges, settings)
}

/**
 * A multicast segment returns each frame to its sender (IP_MULTICAST_LOOP). A guest that bridges two segments would
 * forward every frame between them forever.
 */
export function refuseBridging({ nodes }: Pick<ClusterPlan, 'nodes'>, settings: Settings): void {
  const bridging = nodes.find(({ setup }) => setup.bridges.length > 0)
  if (!bridging) return
  throw new ClusterError({
    code: 'BRIDGES_ON_SEGMENTS',
    kind: 'prerequisite',
    op: 'make network in user space',
    target: topologyName(settings.topology),
    reason: `${bridging.name} bridges its nets, and each multicast segment returns frames to their sender: they would loop`,
    remedy: `Use ${settingText('fabric', 'bridge')}, which needs root or user namespaces`,
  })
}
