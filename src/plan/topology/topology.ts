import { hostId, type Role, roleOf } from '../../base/index.ts'
import type { Impairment } from '../impairment.ts'

/** A set of nodes: all of a role, one id, or a range of ids. */
export type NodeSet = Role | number | readonly [first: number, last: number]

/** A next hop: the node of that number on a net, every router on the net, or the link itself. */
export interface HopRule {
  readonly net: number
  readonly node?: number | 'routers'
}

/** One route, in both families. Several hops are one multipath route. */
export interface RouteRule {
  /** A net by its number, or the default route. */
  readonly to: 'default' | number
  readonly via: readonly HopRule[]
  readonly table?: { readonly ipv4: number; readonly ipv6: number }
}

/**
 * Which address an interface has: the node's on the net of that number, none, or the node's by a template such as
 * `169.254.0.0/20/24`. The bits of a template from 20 to 24 are the number of the net, those after 24 the node's.
 * `template` is the template that the cluster has, or no address without one.
 */
export type AddressRule = number | 'none' | 'template' | `${string}/${number}/${number}`

/** The configuration of some nodes beyond the addresses that all nodes have. */
export interface SetupRule {
  readonly of: NodeSet
  readonly forwarding?: boolean
  readonly routes?: readonly RouteRule[]
  /** Packets of sockets bound to the interface on `net` are looked up in these tables first. */
  readonly rules?: readonly { readonly net: number; readonly ipv4: number; readonly ipv6: number }[]
  /** Packets from these nets leave through eth0 with its address. */
  readonly masquerade?: readonly number[]
  /** By net: the interface has the node's address of another net, one by {@link AddressRule}, or no address. */
  readonly addresses?: Readonly<Record<number, AddressRule>>
  /** Bridges in the guest over its interfaces on `nets`, with the node's address of the net `address`. */
  readonly bridges?: readonly GuestBridgeRule[]
}

export interface GuestBridgeRule {
  readonly name: string
  readonly mac: string
  readonly nets: readonly number[]
  readonly address: number
}

/** What impairs the links of these nodes on a net. */
export interface LinkRule extends Impairment {
  readonly of: NodeSet
  readonly net: number
}

/** The default number of nodes of a role, and the fewest that the topology works with. */
export interface Count {
  readonly usual: number
  readonly atLeast?: number
}

/** How nodes are connected, and how they route. Topologies are data, with one file each in named/. */
export interface Topology {
  readonly name: string
  readonly doc: string
  /** The file that it was read from, and checked. */
  readonly file?: string
  /** The settings that its file gives, with absolute paths. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly routers: Count
  readonly testers: Count
  /** More cluster nodes than 1 – nvm. */
  readonly more?: readonly number[]
  /** The nets of nodes. The last entry that contains a node counts. Each role needs one. */
  readonly nets: readonly { readonly of: NodeSet; readonly nets: readonly number[] }[]
  /** The first entry that contains a node counts. */
  readonly setup: readonly SetupRule[]
  /** For each link the first entry with its node and net counts. */
  readonly links?: readonly LinkRule[]
  /** Of a lab over several hosts: the host of nodes, from 0. The last entry that contains a node counts. */
  readonly hosts?: readonly { readonly of: NodeSet; readonly host: number }[]
}

/** The default route of routers: through the host, where it has an uplink. */
export const uplink: RouteRule = defaultVia([0, hostId])

/** A default route over these next hops, each a net and a node on it. */
export function defaultVia(
  ...hops: readonly (readonly [net: number, node: number | 'routers'])[]
): RouteRule {
  return routeTo('default', ...hops)
}

/** A route to a net, or the default route, over these next hops. */
export function routeTo(
  to: RouteRule['to'],
  ...hops: readonly (readonly [net: number, node: number | 'routers'])[]
): RouteRule {
  return { to, via: hops.map(([net, node]) => ({ net, node })) }
}

/** True for what is a file and not the name of a topology: it has a slash, or ends like one. */
export function isTopologyFile(topology: string): boolean {
  return /\/|\.(ya?ml|json|m?[tj]s)$/.test(topology)
}

/** The name of a topology, which may be given by its name already. */
export function topologyName(topology: string | Topology): string {
  return typeof topology === 'string' ? topology : topology.name
}

/** True when the set contains the node. */
export function contains(set: NodeSet, id: number): boolean {
  if (typeof set === 'number') return set === id
  return typeof set === 'string' ? roleOf(id) === set : id >= set[0] && id <= set[1]
}
