import { ipv4Length } from './addressing.ts'
import type { ClusterPlan, FabricKind, Hop, NodePlan, RoutePlan } from './types.ts'

/** One address that a node should reach. */
export interface ReachTarget {
  readonly from: number
  readonly to: number
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
}

/**
 * Who should reach which addresses, by walking the plan's own routes, there and back, over every branch of
 * every multipath route. The families are planned alike: what IPv4 reaches, IPv6 does. In user space nobody
 * reaches another over net 0.
 */
export function reachTargets(plan: ClusterPlan, kind: FabricKind = 'bridge'): ReachTarget[] {
  const map = new NetworkMap(plan, kind)
  const pairs = plan.nodes.flatMap(from =>
    plan.nodes.filter(to => to !== from).map(to => [from, to] as const),
  )
  return pairs.flatMap(([from, to]) =>
    map
      .addressesOf(to)
      .filter(({ ipv4 }) => map.reaches(from, to, ipv4))
      .flatMap(({ ipv4, ipv6 }): ReachTarget[] => [
        { from: from.id, to: to.id, address: ipv4, family: 'ipv4' },
        { from: from.id, to: to.id, address: ipv6, family: 'ipv6' },
      ]),
  )
}

interface Attachment {
  readonly dev: string
  /** Which nets this is, where bridges in guests have made one of several. */
  readonly segment: number
  readonly ipv4: string
  readonly ipv6: string
}

/** Longer than any path of a sensible topology; ends the walk in one that routes in circles. */
const maxHops = 16

class NetworkMap {
  readonly #plan: ClusterPlan
  readonly #kind: FabricKind
  /** The segment of each net. */
  readonly #segments = new Map<number, number>()
  readonly #attachments = new Map<NodePlan, Attachment[]>()

  constructor(plan: ClusterPlan, kind: FabricKind) {
    this.#plan = plan
    this.#kind = kind
    for (const node of plan.nodes) this.#merge(node)
    for (const node of plan.nodes) this.#attachments.set(node, this.#attach(node))
  }

  addressesOf(node: NodePlan): readonly Attachment[] {
    return this.#attachments.get(node)!
  }

  /** True when packets from `from` arrive at that address of `to`, and the answers come back. */
  reaches(from: NodePlan, to: NodePlan, address: string): boolean {
    const sources = this.#ways(from, address).map(way => way.source)
    return (
      sources.length > 0 &&
      this.#arrives(from, address, maxHops) &&
      sources.every(source => this.#arrives(to, source, maxHops))
    )
  }

  #arrives(at: NodePlan, address: string, hopsLeft: number): boolean {
    if (this.addressesOf(at).some(({ ipv4 }) => ipv4 === address)) return true
    const ways = this.#ways(at, address)
    return ways.length > 0 && hopsLeft > 0 && ways.every(way => this.#passes(way, address, hopsLeft))
  }

  #passes(way: NextHop, address: string, hopsLeft: number): boolean {
    const next = this.#owner(way.gateway ?? address, way.segment)
    if (!next || !way.gateway) return next !== undefined
    const there = this.addressesOf(next).some(({ ipv4 }) => ipv4 === address)
    return there || (next.setup.forwarding && this.#arrives(next, address, hopsLeft - 1))
  }

  /** All ways that the node may choose for an address: a link that the address is on, or the hops of a route. */
  #ways(node: NodePlan, address: string): NextHop[] {
    const link = this.addressesOf(node).find(({ ipv4 }) => sameNet(ipv4, address))
    if (link) return [{ segment: link.segment, source: link.ipv4 }]
    const main = node.setup.routes.filter(route => route.table === undefined)
    const route = main.find(({ to }) => to !== 'default' && sameNet(to.ipv4, address)) ?? main.find(isDefault)
    return (route?.hops ?? []).flatMap(hop => this.#wayOf(node, hop))
  }

  #wayOf(node: NodePlan, hop: Hop): NextHop[] {
    const link = this.addressesOf(node).find(({ dev }) => dev === hop.dev)
    if (!link) return []
    return [{ segment: link.segment, source: link.ipv4, ...(hop.ipv4 && { gateway: hop.ipv4 }) }]
  }

  #owner(address: string, segment: number): NodePlan | undefined {
    return this.#plan.nodes.find(node =>
      this.addressesOf(node).some(link => link.ipv4 === address && link.segment === segment),
    )
  }

  #attach({ id, nets, setup }: NodePlan): Attachment[] {
    const segmentOf = (net: number) => (net === 0 && this.#kind === 'user' ? -id : this.#segment(net))
    const links = nets.flatMap(({ net, dev, ipv4, ipv6 }) =>
      ipv4 && ipv6 ? [{ dev, segment: segmentOf(net), ipv4, ipv6 }] : [],
    )
    const bridges = setup.bridges.flatMap(({ name, ports, ipv4, ipv6 }) => {
      const net = nets.find(({ dev }) => ports.includes(dev))?.net
      return net === undefined ? [] : [{ dev: name, segment: this.#segment(net), ipv4, ipv6 }]
    })
    return [...links, ...bridges]
  }

  /** A bridge in a guest makes one segment of the nets of its ports. */
  #merge({ nets, setup }: NodePlan): void {
    for (const { ports } of setup.bridges) {
      const joined = nets.filter(({ dev }) => ports.includes(dev)).map(({ net }) => this.#segment(net))
      for (const net of this.#plan.nodes.flatMap(node => node.nets.map(link => link.net)))
        if (joined.includes(this.#segment(net))) this.#segments.set(net, Math.min(...joined))
    }
  }

  #segment(net: number): number {
    return this.#segments.get(net) ?? net
  }
}

interface NextHop {
  readonly segment: number
  readonly source: string
  readonly gateway?: string
}

const isDefault = ({ to }: RoutePlan) => to === 'default'

/** All nets are /24: two addresses are of one net when all but the last byte is the same. */
function sameNet(a: string, b: string): boolean {
  const net = (address: string) =>
    address
      .split('.')
      .slice(0, ipv4Length / 8)
      .join('.')
  return net(a) === net(b)
}
