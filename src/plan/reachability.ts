import { ipv4Length } from './addressing.ts'
import { everyNode } from './part.ts'
import type { ClusterPlan, FabricKind, Hop, NodePlan, RoutePlan } from './types.ts'

/** One address that a node should reach. */
export interface ReachTarget {
  readonly from: number
  readonly to: number
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
}

/**
 * The addresses that each node should reach. It walks the plan's own routes in both directions, over every
 * branch of every multipath route. Both families are planned alike, so what IPv4 reaches, IPv6 reaches too.
 * In user space no node reaches another over net 0, and no node one of another host.
 */
export function reachTargets(plan: ClusterPlan, kind: FabricKind = 'bridge'): ReachTarget[] {
  const map = new NetworkMap(plan, kind)
  const all = everyNode(plan)
  const pairs = plan.nodes.flatMap(from => all.filter(to => to !== from).map(to => [from, to] as const))
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

/** An interface of a node, with its addresses. */
export interface Attachment {
  readonly dev: string
  readonly mac: string
  /** The number of the segment. Nets that a bridge in a guest connects are one segment. */
  readonly segment: number
  readonly ipv4: string
  readonly ipv6: string
}

/** Longer than any path of a sensible topology. It ends the walk in a topology with a routing loop. */
const maxHops = 16

/** Who has which address on which segment, by the plan. */
export class NetworkMap {
  readonly #nodes: readonly NodePlan[]
  readonly #elsewhere: ReadonlySet<number>
  readonly #kind: FabricKind
  /** The segment of each net. */
  readonly #segments = new Map<number, number>()
  readonly #attachments = new Map<NodePlan, Attachment[]>()

  constructor(plan: ClusterPlan, kind: FabricKind) {
    this.#nodes = everyNode(plan)
    this.#elsewhere = new Set(plan.elsewhere?.map(({ id }) => id))
    this.#kind = kind
    for (const node of this.#nodes) this.#merge(node)
    for (const node of this.#nodes) this.#attachments.set(node, this.#attach(node))
  }

  addressesOf(node: NodePlan): readonly Attachment[] {
    return this.#attachments.get(node)!
  }

  /** True when packets from `from` arrive at `address` of `to`, and the answers come back. */
  reaches(from: NodePlan, to: NodePlan, address: string): boolean {
    const sources = this.#nextHops(from, address).map(hop => hop.source)
    return (
      sources.length > 0 &&
      this.#arrives(from, address, maxHops) &&
      sources.every(source => this.#arrives(to, source, maxHops))
    )
  }

  #arrives(at: NodePlan, address: string, hopsLeft: number): boolean {
    if (this.addressesOf(at).some(({ ipv4 }) => ipv4 === address)) return true
    const hops = this.#nextHops(at, address)
    return hops.length > 0 && hopsLeft > 0 && hops.every(hop => this.#passes(hop, address, hopsLeft))
  }

  #passes(hop: NextHop, address: string, hopsLeft: number): boolean {
    const next = this.owner(hop.gateway ?? address, hop.segment)
    if (!next || !hop.gateway) return next !== undefined
    const there = this.addressesOf(next).some(({ ipv4 }) => ipv4 === address)
    return there || (next.setup.forwarding && this.#arrives(next, address, hopsLeft - 1))
  }

  /**
   * All next hops that the node may choose for an address: the link that the address is on, or the hops of a
   * route.
   */
  #nextHops(node: NodePlan, address: string): NextHop[] {
    const link = this.addressesOf(node).find(({ ipv4 }) => sameNet(ipv4, address))
    if (link) return [{ segment: link.segment, source: link.ipv4 }]
    const main = node.setup.routes.filter(route => route.table === undefined)
    const route = main.find(({ to }) => to !== 'default' && sameNet(to.ipv4, address)) ?? main.find(isDefault)
    return (route?.hops ?? []).flatMap(hop => this.#nextHopOf(node, hop))
  }

  #nextHopOf(node: NodePlan, hop: Hop): NextHop[] {
    const link = this.addressesOf(node).find(({ dev }) => dev === hop.dev)
    if (!link) return []
    return [{ segment: link.segment, source: link.ipv4, ...(hop.ipv4 && { gateway: hop.ipv4 }) }]
  }

  /** The node with this address, of either family, on the segment. */
  owner(address: string, segment: number): NodePlan | undefined {
    return this.#nodes.find(node =>
      this.addressesOf(node).some(
        link => (link.ipv4 === address || link.ipv6 === address) && link.segment === segment,
      ),
    )
  }

  #attach({ id, nets, setup }: NodePlan): Attachment[] {
    const isAlone = this.#kind === 'user' || this.#elsewhere.has(id)
    const segmentOf = (net: number) => (net === 0 && isAlone ? -id : this.#segment(net))
    const links = nets.flatMap(({ net, dev, mac, ipv4, ipv6 }) =>
      ipv4 && ipv6 ? [{ dev, mac, segment: segmentOf(net), ipv4, ipv6 }] : [],
    )
    const bridges = setup.bridges.flatMap(({ name, mac, ports, ipv4, ipv6 }) => {
      const net = nets.find(({ dev }) => ports.includes(dev))?.net
      return net === undefined ? [] : [{ dev: name, mac, segment: this.#segment(net), ipv4, ipv6 }]
    })
    return [...links, ...bridges]
  }

  /** A bridge in a guest joins the nets of its ports into one segment. */
  #merge({ nets, setup }: NodePlan): void {
    for (const { ports } of setup.bridges) {
      const joined = nets.filter(({ dev }) => ports.includes(dev)).map(({ net }) => this.#segment(net))
      for (const net of this.#nodes.flatMap(node => node.nets.map(link => link.net)))
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

/** True when two addresses are in the same net. All nets are /24, so their first three bytes decide. */
function sameNet(a: string, b: string): boolean {
  const net = (address: string) =>
    address
      .split('.')
      .slice(0, ipv4Length / 8)
      .join('.')
  return net(a) === net(b)
}
