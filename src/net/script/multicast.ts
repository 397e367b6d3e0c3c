import { openRoute } from '../../rtnl/index.ts'
import type { NetNamespace } from '../../sys/index.ts'

/**
 * Routes IPv4 multicast through `lo`, for scripts that answer `-netdev socket,mcast=…` without a local address: QEMU
 * then joins and sends where the kernel has a route (ip(7), IP_ADD_MEMBERSHIP). Equivalent: `ip route add multicast`
 * in the original's preparations.
 */
export async function routeMulticast(namespace: NetNamespace): Promise<void> {
  await using route = openRoute({ namespace })
  const [lo] = (await route.links.list()).filter(({ name }) => name === 'lo')
  await route.routes.add({ destination: '224.0.0.0/4', dev: lo!.index })
}
