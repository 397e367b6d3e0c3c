import { openRoute } from '../rtnl/index.ts'
import type { NetNamespace } from '../sys/index.ts'

/** Sets a tap up or down. One that is down takes nothing, from its guest and from its bridge: `ip link set TAP down`. */
export async function setTapUp(namespace: NetNamespace, tap: string, up: boolean): Promise<void> {
  await using route = openRoute({ namespace })
  await route.links.change({ name: tap, up })
}
