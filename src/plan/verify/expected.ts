import { addressBytes, addressText } from '../../base/index.ts'
import { ipv4Length, ipv6Length } from '../addressing.ts'
import { isCut, netemOf } from '../impairment.ts'
import { mtuOf } from '../network/bridges.ts'
import { everyNode } from '../part.ts'
import type { Attachment, NetworkMap } from '../reachability.ts'
import type { ClusterPlan, Hop, NodePlan, RoutePlan } from '../types.ts'
import {
  type IpFamily,
  ipFamilies,
  type Masqueraded,
  type Observed,
  type ObservedLink,
  type ObservedNeighbour,
  type ObservedRoute,
  type ObservedRule,
} from './observed.ts'

export const [mainTable, localTable] = [254, 255]
const keys = { 4: 'ipv4', 6: 'ipv6' } as const

/** A node of whom others need to be known: where it is, by the plan. */
export interface ExpectedNeighbour extends ObservedNeighbour {
  /** Packets go there: it must answer. Of others the address must not be wrong. */
  readonly nextHop: boolean
}

/** What a node's kernel must have by the plan, in the form in which it is observed. */
export interface Expected extends Observed {
  readonly neighbours: readonly ExpectedNeighbour[]
}

/** What must hold on a node. */
export function expectedOf(node: NodePlan, plan: ClusterPlan, map: NetworkMap): Expected {
  const { setup } = node
  const attachments = map.addressesOf(node)
  return {
    links: linksOf(node, plan),
    addresses: addressesOf(node),
    routes: [...connectedOf(node), ...setup.routes.flatMap(routesOf)].map(route => withDead(route, node)),
    rules: rulesOf(node),
    neighbours: neighboursOf(node, { plan, map, attachments }),
    masquerades: masqueradesOf(node),
    impairments: impairmentsOf(node),
    sysctls: sysctlsOf(node, plan),
  }
}

/** Interfaces of nets, and bridges in the guest. A bridge has the least MTU of its ports (br_mtu_auto_adjust). */
function linksOf({ nets, setup, impairments = {} }: NodePlan, { bridges }: ClusterPlan): ObservedLink[] {
  const links = nets.map(({ net, dev, mac }) => {
    const master = setup.bridges.find(({ ports }) => ports.includes(dev))?.name
    const mtu = mtuOf(bridges, net)
    const carrier = !impairments[dev]?.down
    return { name: dev, mac, mtu, up: true, carrier, ...(master !== undefined && { master }) }
  })
  const inner = setup.bridges.map(({ name, mac, ports }) => {
    const mtus = links.filter(link => ports.includes(link.name)).map(({ mtu }) => mtu)
    return { name, mac, mtu: mtus.length > 0 ? Math.min(...mtus) : 1500, up: true, carrier: true }
  })
  return [...links, ...inner]
}

function addressesOf({ nets, setup }: NodePlan): Observed['addresses'] {
  const all = [
    ...nets.map(({ dev, ipv4, ipv6 }) => ({ dev, ipv4, ipv6 })),
    ...setup.bridges.map(({ name, ipv4, ipv6 }) => ({ dev: name, ipv4, ipv6 })),
  ]
  return all.flatMap(({ dev, ...pair }) =>
    ipFamilies.flatMap(family => {
      const address = pair[keys[family]]
      return address === undefined ? [] : [{ dev, family, address, prefix: lengthOf(family) }]
    }),
  )
}

const lengthOf = (family: IpFamily): number => (family === 4 ? ipv4Length : ipv6Length)

/** The kernel marks hops over an interface without carrier. */
function withDead(route: ObservedRoute, { impairments = {} }: NodePlan): ObservedRoute {
  const hops = route.hops.map(hop => (impairments[hop.dev]?.down ? { ...hop, dead: true } : hop))
  return { ...route, hops }
}

function impairmentsOf({ impairments = {} }: NodePlan): Observed['impairments'] {
  return Object.entries(impairments).flatMap(([dev, { received = {}, ...own }]) => {
    const [sent, back] = [netemOf(own), netemOf(received)]
    return [
      ...(sent ? [{ dev, direction: 'sent' as const, ...sent }] : []),
      ...(back ? [{ dev, direction: 'received' as const, ...back }] : []),
    ]
  })
}

/** Nothing that the node sends on the interface arrives, or that others send to it, because that was asked for. */
export function isCutOff({ impairments = {} }: NodePlan, dev: string): boolean {
  return isCut(impairments[dev] ?? {})
}

/** The routes that the kernel makes of the addresses. The last byte of an address is the node. */
function connectedOf(node: NodePlan): ObservedRoute[] {
  return addressesOf(node).map(({ dev, family, address, prefix }) => {
    const network = addressBytes(address)
    network[network.length - 1] = 0
    const hops = [{ dev, weight: 1 }]
    return { family, ...plain, destination: `${addressText(network)}/${prefix}`, hops }
  })
}

const plain = { table: mainTable, type: 'unicast', metric: 0 } as const

function routesOf({ to, hops, table }: RoutePlan): ObservedRoute[] {
  return ipFamilies.map(family => ({
    ...{ family, ...plain, table: table?.[keys[family]] ?? mainTable },
    destination: to === 'default' ? to : to[keys[family]],
    hops: hops.map(hop => hopOf(hop, family)),
  }))
}

function hopOf(hop: Hop, family: IpFamily) {
  const via = hop[keys[family]]
  return { dev: hop.dev, weight: 1, ...(via !== undefined && { via }) }
}

/** The kernel's own rules, and those of the plan between them: a new rule goes before all but the first. */
function rulesOf({ setup }: NodePlan): ObservedRule[] {
  return ipFamilies.flatMap(family => [
    { family, priority: 0, action: 'lookup', table: localTable },
    ...setup.rules.map((rule, index) => ({
      ...{ family, priority: 32765 - index, action: 'lookup', table: rule[keys[family]], outDev: rule.dev },
    })),
    { family, priority: 32766, action: 'lookup', table: mainTable },
  ])
}

interface Around {
  readonly plan: ClusterPlan
  readonly map: NetworkMap
  readonly attachments: readonly Attachment[]
}

/** All nodes on the segments of its interfaces. */
function neighboursOf(node: NodePlan, { plan, map, attachments }: Around): ExpectedNeighbour[] {
  const hops = node.setup.routes.flatMap(({ hops }) => hops)
  const others = everyNode(plan).filter(other => other !== node)
  return attachments.flatMap(({ dev, segment }) =>
    others.flatMap(other =>
      map
        .addressesOf(other)
        .filter(there => there.segment === segment)
        .flatMap(({ ipv4, ipv6, mac, ...there }) =>
          [ipv4, ipv6].map(address => ({
            ...{ dev, address, mac, state: 'reachable' },
            nextHop:
              !isCutOff(node, dev) &&
              !isCutOff(other, there.dev) &&
              hops.some(hop => hop.dev === dev && (hop.ipv4 === address || hop.ipv6 === address)),
          })),
        ),
    ),
  )
}

function masqueradesOf({ setup }: Pick<NodePlan, 'setup'>): Masqueraded[] {
  const sources = setup.masquerade.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
  return sources.map(source => ({ outDev: 'eth0', source }))
}

/** IPv4 forwards what comes in over an interface whose own switch is on (ip_route_input_slow), IPv6 by one for all. */
function sysctlsOf({ nets, setup }: NodePlan, { bridges }: ClusterPlan): Record<string, string> {
  const devs = [
    ...nets.filter(({ ipv4 }) => ipv4 !== undefined).map(({ dev }) => dev),
    ...setup.bridges.map(({ name }) => name),
  ]
  const forwarding = ['net/ipv4/ip_forward', ...devs.map(dev => `net/ipv4/conf/${dev}/forwarding`)]
  const multipath = setup.routes.some(({ hops }) => hops.length > 1)
  const policies = ['ipv4', 'ipv6'].map(family => `net/${family}/fib_multipath_hash_policy`)
  return Object.fromEntries([
    ...(setup.forwarding ? [...forwarding, 'net/ipv6/conf/all/forwarding'].map(name => [name, '1']) : []),
    ...(multipath ? policies.map(name => [name, '1']) : []),
    ...nets.flatMap(({ net, dev, ipv6 }) =>
      ipv6 === undefined ? [] : [[`net/ipv6/conf/${dev}/mtu`, `${mtuOf(bridges, net)}`]],
    ),
  ])
}
