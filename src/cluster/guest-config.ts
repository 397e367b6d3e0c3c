import { ipv4Length, ipv6Length } from './addressing.ts'
import type { GuestBridge, Hop, NodePlan, NodeSetup, RoutePlan, Subnet } from './plan-types.ts'

type Family = 'ipv4' | 'ipv6'

/**
 * The script that makes a booted guest the node that the plan has: for `/bin/sh` on its standard input. Two
 * programs are run, `ip` and, where something is masqueraded, `nft`: in a guest under TCG each costs as much as
 * all that it is told. The base image has set up net 0 and all MTUs; sysctls come first, since forwarding changes routes.
 */
export function guestScript({ nets, setup }: Pick<NodePlan, 'nets' | 'setup'>): string {
  const rest = nets.filter(({ net }) => net !== 0)
  const batch = [
    ...rest.map(({ dev }) => `link set ${dev} up`),
    ...setup.bridges.flatMap(bridgeLines),
    ...rest.flatMap(({ dev, ipv4, ipv6 }) => (ipv4 && ipv6 ? addressLines(dev, ipv4, ipv6) : [])),
    ...setup.routes.flatMap(route => [routeLine(route, 'ipv4'), routeLine(route, 'ipv6')]),
  ]
  return [
    'set -e',
    ...sysctls(setup),
    ...fed(`${ip} -batch -`, batch),
    // A rule's family is told by nothing in it, so each has a run of its own.
    ...fed(
      `${ip} -4 -batch -`,
      setup.rules.map(({ dev, ipv4 }) => `rule add oif ${dev} table ${ipv4}`),
    ),
    ...fed(
      `${ip} -6 -batch -`,
      setup.rules.map(({ dev, ipv6 }) => `rule add oif ${dev} table ${ipv6}`),
    ),
    ...fed('nft -f -', nat(setup)),
    '',
  ].join('\n')
}

function sysctls({ forwarding, routes }: NodeSetup): string[] {
  const ways = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']
  // By addresses and ports, so that one flow keeps to one path and many flows use all.
  const hashes = ['ipv4', 'ipv6'].map(family => `/proc/sys/net/${family}/fib_multipath_hash_policy`)
  const multipath = routes.some(({ hops }) => hops.length > 1)
  return [...(forwarding ? ways : []), ...(multipath ? hashes : [])].map(path => `echo 1 >${path}`)
}

/** The full path of ip: some shells have an `ip` of their own that knows no batch. */
const ip = '/sbin/ip'

/** Lines on a command's standard input; nothing when there are none. */
function fed(command: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [`${command} <<'END'`, ...lines, 'END'] : []
}

/** No duplicate address detection: these numbers are unique by plan, and it would cost a second. */
function addressLines(dev: string, ipv4: string, ipv6: string): string[] {
  return [
    `address add ${ipv4}/${ipv4Length} dev ${dev}`,
    `address add ${ipv6}/${ipv6Length} dev ${dev} nodad`,
  ]
}

function bridgeLines({ name, mac, ports, ipv4, ipv6 }: GuestBridge): string[] {
  return [
    `link add ${name} address ${mac} type bridge stp_state 0`,
    ...ports.map(port => `link set ${port} master ${name}`),
    `link set ${name} up`,
    ...addressLines(name, ipv4, ipv6),
  ]
}

/** The family of a route is that of its addresses: a line of a batch cannot say `-6`. */
function routeLine({ to, hops, table }: RoutePlan, family: Family): string {
  const everything = family === 'ipv4' ? '0.0.0.0/0' : '::/0'
  const ways = hops.map(hop => wayOf(hop, family))
  const into = table ? ` table ${table[family]}` : ''
  const multipath = ways.length > 1 ? ways.map(way => `nexthop ${way}`) : ways
  return `route replace ${to === 'default' ? everything : to[family]}${into} ${multipath.join(' ')}`
}

function wayOf(hop: Hop, family: Family): string {
  const gateway = hop[family]
  return gateway ? `via ${gateway} dev ${hop.dev}` : `dev ${hop.dev}`
}

function nat({ masquerade }: NodeSetup): string[] {
  if (masquerade.length === 0) return []
  const rules = masquerade.flatMap(({ ipv4, ipv6 }: Subnet) => [
    `    oifname "eth0" ip saddr ${ipv4} masquerade`,
    `    oifname "eth0" ip6 saddr ${ipv6} masquerade`,
  ])
  const hook = '    type nat hook postrouting priority srcnat; policy accept;'
  return ['table inet xcluster {', '  chain postrouting {', hook, ...rules, '  }', '}']
}
