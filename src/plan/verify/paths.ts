import { everyNode } from '../part.ts'
import { NetworkMap, type ReachTarget, reachTargets } from '../reachability.ts'
import type { ClusterPlan, FabricKind, NodePlan } from '../types.ts'
import { type Finding, findingsOf, hopsText, routeName, ruleName } from './differences.ts'
import { type Expected, expectedOf, isCutOff } from './expected.ts'
import { type Found, lookUp, type Packet } from './lookup.ts'
import type { IpFamily, Observed, ObservedHop } from './observed.ts'

/** A difference between what is and what should be. */
export interface Difference extends Finding {
  readonly node: string
}

/** All that differs, and how many paths between nodes there are by the plan and how many of them do not hold. */
export interface Compared {
  readonly differences: readonly Difference[]
  readonly paths: { readonly planned: number; readonly broken: number }
}

/** Longer than any path of a sensible topology. */
const maxHops = 16

/** What must hold in a cluster, node by node and from node to node. */
export class Verification {
  readonly #plan: ClusterPlan
  readonly #map: NetworkMap
  readonly #ways: readonly Way[]
  readonly #expected: ReadonlyMap<number, Expected>

  constructor(plan: ClusterPlan, kind: FabricKind = 'bridge') {
    this.#plan = plan
    this.#map = new NetworkMap(plan, kind)
    this.#expected = new Map(everyNode(plan).map(node => [node.id, expectedOf(node, plan, this.#map)]))
    const asPlanned = this.#walk(new Map(), new Set())
    const ways = reachTargets(plan, kind).flatMap(target => this.#waysTo(target))
    this.#ways = ways.filter(way => asPlanned.holds(way))
  }

  expected(id: number): Expected {
    return this.#expected.get(id)!
  }

  /**
   * Compares nodes with the plan, and walks from each node to each address that it should reach, over every branch. A node
   * that is not in `observed` is taken to be as it should be, and one in `gone` not to be there.
   */
  compare(observed: ReadonlyMap<number, Observed>, gone: ReadonlySet<number> = new Set()): Compared {
    const walk = this.#walk(observed, gone)
    const local = this.#plan.nodes.flatMap(({ id, name }) => {
      const is = observed.get(id)
      return is ? findingsOf(this.expected(id), is).map(finding => ({ node: name, ...finding })) : []
    })
    const broken = this.#ways.filter(way => !walk.holds(way)).length
    const known = new Set(local.map(({ node, what }) => `${node} ${what}`))
    return { differences: [...local, ...walk.detours(known)], paths: { planned: this.#ways.length, broken } }
  }

  /** Unbound sockets, and those bound to an interface that has a rule of its own, where that leads there. */
  #waysTo({ from, address, family }: ReachTarget): Way[] {
    const way = { from, to: address, family: family === 'ipv4' ? 4 : 6 } as const
    const rules = this.expected(from).rules.filter(rule => rule.family === way.family)
    return [way, ...rules.flatMap(({ outDev }) => (outDev === undefined ? [] : [{ ...way, outDev }]))]
  }

  #walk(observed: ReadonlyMap<number, Observed>, gone: ReadonlySet<number>): Walk {
    return new Walk({ plan: this.#plan, map: this.#map, expected: this.#expected, observed, gone })
  }
}

/** From a node to an address of another one. */
type Way = Pick<Packet, 'family' | 'to' | 'outDev'> & { readonly from: number }

interface Terrain {
  readonly plan: ClusterPlan
  readonly map: NetworkMap
  readonly expected: ReadonlyMap<number, Expected>
  readonly observed: ReadonlyMap<number, Observed>
  readonly gone: ReadonlySet<number>
}

interface Detour {
  readonly node: string
  /** The name of the route that the packet should take. */
  readonly route: string
  readonly rule: string
  readonly addresses: Set<string>
  readonly should: string
  readonly is: string
}

/** One step of the walk: where the packet is. */
interface Standing {
  readonly node: NodePlan
  readonly packet: Packet
  readonly hopsLeft: number
}

class Walk {
  readonly #terrain: Terrain
  readonly #detours = new Map<string, Detour>()

  constructor(terrain: Terrain) {
    this.#terrain = terrain
  }

  holds({ from, ...packet }: Way): boolean {
    const node = this.#terrain.plan.nodes.find(({ id }) => id === from)!
    return this.#arrives({ node, packet, hopsLeft: maxHops })
  }

  /** Where packets go another way than the plan says, and no difference of that route, or its rule, says so already. */
  detours(known: ReadonlySet<string>): Difference[] {
    return [...this.#detours.values()]
      .filter(({ node, route }) => !known.has(`${node} ${route}`))
      .filter(({ node, rule }) => !known.has(`${node} ${rule}`))
      .map(({ node, addresses, should, is }) => {
        const [first, ...more] = addresses
        const others =
          more.length === 0 ? '' : ` and ${more.length} more ${more.length === 1 ? 'address' : 'addresses'}`
        return { node, what: `path to ${first}${others}`, should, is }
      })
  }

  #arrives({ node, packet, hopsLeft }: Standing): boolean {
    const { expected, observed, gone } = this.#terrain
    if (gone.has(node.id)) return false
    const should = expected.get(node.id)!
    const is = observed.get(node.id) ?? should
    if (this.#has(node, packet.to)) return is.addresses.some(({ address }) => address === packet.to)
    if (packet.inDev !== undefined && !forwards({ should, is, packet })) return false
    const [planned, found] = [lookUp(should, packet), lookUp(is, packet)]
    const same = this.#compare({ node, packet }, planned, found)
    const passes = planned.hops.map(hop => this.#passes({ node, packet, hopsLeft }, { hop, should, is }))
    return same && planned.hops.length > 0 && passes.every(Boolean)
  }

  #compare({ node, packet }: Pick<Standing, 'node' | 'packet'>, planned: Found, found: Found): boolean {
    const [should, is] = [hopsText(planned.hops), foundText(found)]
    if (should === is || !planned.route || !planned.rule) return should === is
    const key = `${node.id} ${packet.outDev} ${should} ${is} ${packet.family}`
    const [route, rule] = [routeName(planned.route), ruleName(planned.rule)]
    const detour = this.#detours.get(key) ?? {
      node: node.name,
      route,
      rule,
      addresses: new Set<string>(),
      should,
      is,
    }
    detour.addresses.add(packet.to)
    this.#detours.set(key, detour)
    return false
  }

  /** Over one branch: the link carries it, the next node answers there, and passes it on. */
  #passes(
    { node, packet, hopsLeft }: Standing,
    { hop, should, is }: { readonly hop: ObservedHop; readonly should: Expected; readonly is: Observed },
  ): boolean {
    const { map } = this.#terrain
    const segment = map.addressesOf(node).find(({ dev }) => dev === hop.dev)?.segment
    const next = segment === undefined ? undefined : map.owner(hop.via ?? packet.to, segment)
    if (!next || hopsLeft === 0) return false
    const onward = hopsLeft - 1
    const source = packet.from ?? addressOn(should, { dev: hop.dev, family: packet.family })
    const inDev = map.addressesOf(next).find(each => each.segment === segment)!.dev
    if (isCutOff(node, hop.dev) || isCutOff(next, inDev)) return false
    const { family, to } = packet
    const arrives = this.#arrives({
      node: next,
      packet: { family, to, inDev, ...(source !== undefined && { from: source }) },
      hopsLeft: onward,
    })
    return carries({ hop, should, is, packet }) && arrives
  }

  #has(node: NodePlan, address: string): boolean {
    return this.#terrain.map.addressesOf(node).some(({ ipv4, ipv6 }) => ipv4 === address || ipv6 === address)
  }
}

function foundText({ route, hops }: Found): string {
  if (route?.type === 'local') return 'to itself'
  if (hops.length > 0) return hopsText(hops)
  return route ? route.type : 'no route'
}

function addressOn(
  { addresses }: Observed,
  { dev, family }: { readonly dev: string; readonly family: IpFamily },
): string | undefined {
  return addresses.find(each => each.dev === dev && each.family === family)?.address
}

interface Compare {
  readonly should: Expected
  readonly is: Observed
  readonly packet: Packet
}

/** A node that the packet came to forwards it: its switches are on. */
function forwards({ should, is, packet }: Compare): boolean {
  const { family, inDev } = packet
  const names =
    family === 4
      ? ['net/ipv4/ip_forward', `net/ipv4/conf/${inDev}/forwarding`]
      : ['net/ipv6/conf/all/forwarding']
  return names.every(name => should.sysctls[name] === undefined || should.sysctls[name] === is.sysctls[name])
}

/** The interface is up, with its MTU, and what is known of the neighbour is right. */
function carries({ hop, should, is, packet }: Compare & { readonly hop: ObservedHop }): boolean {
  const [planned, link] = [should, is].map(({ links }) => links.find(({ name }) => name === hop.dev))
  if (!planned || !link?.up || !link.carrier || link.mtu < planned.mtu) return false
  const to = hop.via ?? packet.to
  const [there, entry] = [should, is].map(({ neighbours }) =>
    neighbours.find(({ dev, address }) => dev === hop.dev && address === to),
  )
  if (!entry) return hop.via === undefined
  return entry.state !== 'failed' && (entry.mac === undefined || entry.mac === there?.mac)
}
