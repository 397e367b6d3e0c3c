import type { TapSpec } from '../plan/index.ts'
import { openRoute } from '../rtnl/index.ts'
import type { NetNamespace } from '../sys/index.ts'

/** Frames and their bytes since an interface exists, or is counted. */
export interface Counted {
  readonly frames: number
  readonly bytes: number
  /** Frames that the interface could not take. Absent on multicast segments. */
  readonly dropped?: number
}

/** What a node has sent and received on a net. */
export interface InterfaceTraffic {
  readonly node: number
  readonly net: number
  readonly sent: Counted
  /** Absent on multicast segments, where only senders are known. */
  readonly received?: Counted
}

const none: Counted = { frames: 0, bytes: 0, dropped: 0 }

/** The kernel's counters of taps. What a tap receives, the node has sent. Equivalent: `ip -s link`. */
export async function tapTraffic(
  namespace: NetNamespace,
  taps: readonly Pick<TapSpec, 'node' | 'net' | 'name'>[],
): Promise<InterfaceTraffic[]> {
  await using route = openRoute({ namespace })
  const links = new Map((await route.links.list()).map(link => [link.name, link.statistics]))
  return taps.map(({ node, net, name }) => {
    const counted = links.get(name)
    if (!counted) return { node, net, sent: none, received: none }
    const { rxPackets, rxBytes, rxDropped, txPackets, txBytes, txDropped } = counted
    return {
      ...{ node, net, sent: { frames: rxPackets, bytes: rxBytes, dropped: rxDropped } },
      received: { frames: txPackets, bytes: txBytes, dropped: txDropped },
    }
  })
}
