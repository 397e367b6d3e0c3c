import { type Cidr, Scope, settingText, XclusterError } from '../../base/index.ts'
import { overlap, type Pair, type UplinkPlan } from '../../plan/index.ts'
import { openRoute, type Route, type RouteSpec, veth } from '../../rtnl/index.ts'
import { type NetNamespace, readSysctl, writeSysctl } from '../../sys/index.ts'
import { NetError } from '../errors.ts'
import { uplinkName } from './forwarding.ts'

/** One end of a veth pair. */
export interface VethEnd {
  readonly name: string
  /** The bridge that it is a port of. */
  readonly master?: string
  readonly addresses: readonly Cidr[]
  /** The routes over this end. */
  readonly routes: readonly RouteSpec[]
}

export interface VethPair {
  readonly outside: VethEnd
  readonly inside: VethEnd
  /** The owner of the pair, and the base of its addresses: `ip link` shows it as the alias. */
  readonly alias: string
}

export interface Places {
  readonly inside: NetNamespace
  readonly outside: NetNamespace
}

/** The veth pair of an uplink: its ends reach each other, and the inside reaches everything. */
export function vethPairOf({ link, peer, inside, outside, base }: UplinkPlan, owner: string): VethPair {
  return {
    outside: { name: link, addresses: own(outside), routes: to(inside) },
    inside: {
      name: peer,
      addresses: own(inside),
      routes: [
        ...to(outside),
        { destination: 'default', via: outside.ipv4 },
        { destination: 'default', via: outside.ipv6 },
      ],
    },
    alias: `xcluster ${owner} ${base.ipv4} ${base.ipv6}`,
  }
}

/** The owner of an uplink, from its alias. */
export function ownerIn(alias: string | undefined): string | undefined {
  return /^xcluster (\S+)/.exec(alias ?? '')?.[1]
}

const own = ({ ipv4, ipv6 }: Pair): Cidr[] => [
  { address: ipv4, prefix: 32 },
  { address: ipv6, prefix: 128 },
]
const to = ({ ipv4, ipv6 }: Pair): RouteSpec[] => [
  { destination: `${ipv4}/32` },
  { destination: `${ipv6}/128` },
]

/** Adds the pair, or nothing of it. Its outside end removes it later. `ip link add … type veth peer …` */
export async function addVethPair({ outside, inside, alias }: VethPair, places: Places): Promise<void> {
  await using scope = new Scope()
  const route = scope.add(openRoute({ namespace: places.outside }))
  const within = scope.add(openRoute({ namespace: places.inside }))
  const peer = { name: inside.name, namespace: places.inside }
  const master = outside.master === undefined ? {} : { master: outside.master }
  try {
    await route.links.add(veth({ name: outside.name, ...master, peer }))
  } catch (failure) {
    throw isCoded(failure, 'NETLINK_EXISTS') ? taken(outside.name, failure) : failure
  }
  try {
    allowIpv6(places.inside, inside.name)
    allowIpv6(places.outside, outside.name)
    // rtnl_create_link() ignores IFLA_IFALIAS.
    await route.links.change({ name: outside.name, alias, up: true })
    await setUp(within, inside)
    await setUp(route, outside)
  } catch (failure) {
    await route.links.remove(outside.name)
    throw failure
  }
}

function setUp(route: Route, { name, addresses, routes }: VethEnd): Promise<void> {
  return route.batch(batch => {
    batch.links.change({ name, up: true })
    for (const address of addresses) batch.addresses.add({ link: name, ...address, noDad: true })
    for (const each of routes) batch.routes.add({ dev: name, ...each })
  })
}

/** IPv6 may be off by default for new interfaces, as in containers. This interface needs it. */
function allowIpv6(namespace: NetNamespace, link: string): void {
  const setting = `net/ipv6/conf/${link}/disable_ipv6`
  if (readSysctl(namespace, setting) === '1') writeSysctl(namespace, setting, '0')
}

/** Throws UPLINK_OVERLAP when the outside reaches some of the base's addresses over another interface. */
export async function refuseOverlap({ base }: Pick<UplinkPlan, 'base'>, route: Route): Promise<void> {
  const links = await route.links.list()
  const uplinks = links.filter(({ name }) => uplinkName.test(name))
  for (const { name, alias = '' } of uplinks) {
    const [, owner = '', ipv4 = '', ipv6 = ''] = /^xcluster (\S+) (\S+) (\S+)$/.exec(alias) ?? []
    if (!ipv4 || (ipv4 === base.ipv4 && ipv6 === base.ipv6)) continue
    if (overlap(ipv4, base.ipv4)) throw overlaps(base.ipv4, `${ipv4}, the base of ${name} (${owner})`)
    if (overlap(ipv6, base.ipv6)) throw overlaps(base.ipv6, `${ipv6}, the base of ${name} (${owner})`)
  }
  const ours = new Set(uplinks.map(({ index }) => index))
  for (const { destination, dev } of await route.routes.list()) {
    if (destination === 'default' || (dev !== undefined && ours.has(dev))) continue
    const mine = destination.includes(':') ? base.ipv6 : base.ipv4
    const by = links.find(({ index }) => index === dev)?.name
    if (overlap(destination, mine))
      throw overlaps(mine, `${destination}, which is routed to ${by ?? 'another destination'}`)
  }
}

/** The lowest number without an uplink. */
export async function freeIndex(route: Route): Promise<number> {
  const names = new Set((await route.links.list()).map(({ name }) => name))
  let index = 1
  while (names.has(`xcluster${index}`)) index++
  return index
}

function overlaps(base: string, other: string): NetError {
  return new NetError({
    code: 'UPLINK_OVERLAP',
    kind: 'usage',
    op: 'use addresses',
    target: base,
    reason: `they overlap with ${other}`,
    remedy: `Use other addresses: ${settingText('ipv4Base')}, ${settingText('ipv6Prefix')}`,
  })
}

function taken(name: string, cause: Error): NetError {
  return new NetError({
    code: 'UPLINK_TAKEN',
    op: 'create uplink',
    target: name,
    reason: 'an uplink with this number exists already',
    remedy: `Use another number, or stop the cluster that has it (see: ip link show ${name})`,
    cause,
  })
}

export function isCoded(failure: unknown, ...codes: string[]): failure is XclusterError {
  return failure instanceof XclusterError && codes.includes(failure.code)
}
