import { hostId } from '../../base/index.ts'
import type { NodePlan, RoutePlan } from '../../plan/index.ts'
import { ipv4Length, ipv4On, ipv6Length } from '../../plan/index.ts'

/** An interface of version 2 of cloud-init's network configuration. */
interface Ethernet {
  readonly match: { readonly macaddress: string }
  readonly 'set-name': string
  readonly dhcp4: false
  readonly dhcp6: false
  readonly 'accept-ra': false
  readonly addresses: readonly string[]
  readonly mtu?: number
  readonly routes?: readonly { readonly to: string; readonly via: string }[]
  readonly nameservers?: { readonly addresses: readonly string[]; readonly search?: readonly string[] }
}

/** The `network-config` of a seed. */
export type NetworkConfig =
  | { readonly version: 2; readonly ethernets: Readonly<Record<string, Ethernet>> }
  | { readonly network: { readonly config: 'disabled' } }

export interface NetworkOptions {
  readonly mtus: ReadonlyMap<number, number>
  /** The cluster has a DNS forwarder. */
  readonly dns: boolean
  /** Empty for none. */
  readonly domain: string
}

/**
 * The interfaces of a node as cloud-init configures them, found by their MACs: names, addresses, routes and the cluster's
 * DNS. What this format lacks, such as several next hops of a route, xcluster-guest adds.
 */
export function networkConfig(
  { nets, setup }: Pick<NodePlan, 'nets' | 'setup'>,
  { mtus, dns, domain }: NetworkOptions,
): NetworkConfig {
  const ethernets = nets.map(({ net, dev, mac, ipv4, ipv6 }): [string, Ethernet] => {
    const [mtu, routes] = [mtus.get(net), routesBy(dev, setup.routes)]
    const search = domain === '' ? {} : { search: [domain] }
    return [
      dev,
      {
        match: { macaddress: mac },
        'set-name': dev,
        ...{ dhcp4: false, dhcp6: false, 'accept-ra': false },
        addresses: [
          ...(ipv4 === undefined ? [] : [`${ipv4}/${ipv4Length}`]),
          ...(ipv6 === undefined ? [] : [`${ipv6}/${ipv6Length}`]),
        ],
        ...(mtu !== undefined && { mtu }),
        ...(routes.length > 0 && { routes }),
        ...(net === 0 && dns && { nameservers: { addresses: [ipv4On(0, hostId)], ...search } }),
      },
    ]
  })
  return { version: 2, ethernets: Object.fromEntries(ethernets) }
}

/** Of several next hops the first. Those of other tables are left out. */
function routesBy(dev: string, routes: readonly RoutePlan[]): { to: string; via: string }[] {
  return routes.flatMap(({ to, hops, table }) => {
    const [hop] = hops
    if (table || hop?.dev !== dev) return []
    const subnets = to === 'default' ? { ipv4: '0.0.0.0/0', ipv6: '::/0' } : to
    const families = ['ipv4', 'ipv6'] as const
    return families.flatMap(family => {
      const via = hop[family]
      return via === undefined ? [] : [{ to: subnets[family], via }]
    })
  })
}
