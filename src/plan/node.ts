import { roleOf } from '../base/index.ts'
import { byTemplate, ipv4On, ipv6On, ipv6With, subnetOf } from './addressing.ts'
import { effective, impaired, isWhole, type LinkImpairments } from './impairment.ts'
import { macOf } from './network/bridges.ts'
import {
  type AddressRule,
  contains,
  type GuestBridgeRule,
  type HopRule,
  type LinkRule,
  type RouteRule,
  type SetupRule,
} from './topology/topology.ts'
import type { GuestBridge, Hop, NodeNet, NodeSetup, RoutePlan, Wired } from './types.ts'

interface NodeContext {
  readonly all: readonly Wired[]
  readonly prefix: string
}

/** How addresses begin, and by which template those are that the topology leaves to the cluster; empty: none. */
export interface Addressing {
  readonly prefix: string
  readonly xlanTemplate: string
}

/** A node's interfaces. `ethX` is the position in its list of nets. */
export function addressed({ id, nets }: Wired, rule: SetupRule, how: Addressing): NodeNet[] {
  return nets.map((net, position) => {
    const link = { net, dev: `eth${position}`, tap: `xcbr${net}_t${id}`, mac: macOf(net, id) }
    const ipv4 = addressBy(rule.addresses?.[net] ?? net, { id, net, template: how.xlanTemplate })
    return ipv4 === undefined ? link : { ...link, ipv4, ipv6: ipv6With(how.prefix, ipv4) }
  })
}

function addressBy(
  rule: AddressRule,
  { id, net, template }: { readonly id: number; readonly net: number; readonly template: string },
): string | undefined {
  if (typeof rule === 'number') return ipv4On(rule, id)
  if (rule === 'none') return undefined
  const used = rule === 'template' ? template : rule
  return used === '' ? undefined : byTemplate(used, net, id)
}

/** What a rule of the topology means for one node among the others. */
export function setupOf(node: Wired, rule: SetupRule, around: NodeContext): NodeSetup {
  const devs = devsOf(node, rule)
  const routes = (rule.routes ?? []).flatMap(route => routeOf(route, devs, around))
  const rules = (rule.rules ?? []).flatMap(({ net, ...tables }) => {
    const dev = devs.get(net)
    return dev ? [{ dev, ...tables }] : []
  })
  return {
    forwarding: rule.forwarding ?? false,
    routes,
    rules,
    masquerade: (rule.masquerade ?? []).map(net => subnetOf(around.prefix, net)),
    bridges: (rule.bridges ?? []).map(bridge => bridgeOf(bridge, node, around.prefix)),
  }
}

/** What the topology says of the node's links, by interface. */
export function impairedBy(
  { id, nets }: Wired,
  rules: readonly LinkRule[] = [],
): Readonly<Record<string, LinkImpairments>> {
  const links = nets.flatMap((net, position) => {
    const own = rules.filter(each => each.net === net && contains(each.of, id))
    const sent = own.find(({ direction }) => direction !== 'received')
    const received = own.find(({ direction = 'sent' }) => direction !== 'sent')
    const link = impaired(effective(sent ?? {}), { ...received, direction: 'received' })
    return isWhole(link) ? [] : [[`eth${position}`, link] as const]
  })
  return Object.fromEntries(links)
}

/** The interface that puts the node on each net. When a bridge has that interface as a port, it is the bridge. */
function devsOf({ nets }: Wired, { bridges = [] }: SetupRule): Map<number, string> {
  const devs = new Map(nets.map((net, position) => [net, `eth${position}`]))
  for (const bridge of bridges) for (const net of bridge.nets) if (devs.has(net)) devs.set(net, bridge.name)
  return devs
}

/**
 * A route in terms of the node's own interfaces. Hops over nets that the node is not on, and over nodes that
 * do not exist, are omitted. A route without hops is omitted too.
 */
function routeOf(rule: RouteRule, devs: ReadonlyMap<number, string>, around: NodeContext): RoutePlan[] {
  const hops = rule.via.flatMap(hop => hopsOf(hop, devs.get(hop.net), around))
  const to = rule.to === 'default' ? rule.to : subnetOf(around.prefix, rule.to)
  return hops.length > 0 ? [{ to, hops, ...(rule.table && { table: rule.table }) }] : []
}

function hopsOf({ net, node }: HopRule, dev: string | undefined, { all, prefix }: NodeContext): Hop[] {
  if (dev === undefined) return []
  if (node === undefined) return [{ dev }]
  const onNet = all.filter(({ nets }) => nets.includes(net)).map(({ id }) => id)
  const ids = node === 'routers' ? onNet.filter(id => roleOf(id) === 'router') : [node]
  return ids.map(id => ({ dev, ipv4: ipv4On(net, id), ipv6: ipv6On(prefix, net, id) }))
}

function bridgeOf({ name, mac, nets, address }: GuestBridgeRule, node: Wired, prefix: string): GuestBridge {
  return {
    name,
    mac,
    ports: nets.flatMap(net => (node.nets.includes(net) ? [`eth${node.nets.indexOf(net)}`] : [])),
    ipv4: ipv4On(address, node.id),
    ipv6: ipv6On(prefix, address, node.id),
  }
}
