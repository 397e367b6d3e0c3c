import { hostId, type Role, roleOf } from '../../base/index.ts'

/** Some nodes: all of a role, one id, or ids from – to. */
export type NodeSet = Role | number | readonly [first: number, last: number]

/** A next hop: a node by its number on a net, every router that is on the net, or the link itself. */
export interface HopRule {
  readonly net: number
  readonly node?: number | 'routers'
}

/** One route, in both families. Several hops are one multipath route. */
export interface RouteRule {
  /** A net by its number, or everything else. */
  readonly to: 'default' | number
  readonly via: readonly HopRule[]
  readonly table?: { readonly ipv4: number; readonly ipv6: number }
}

/** What some nodes are told beside the addresses that everybody has. */
export interface SetupRule {
  readonly of: NodeSet
  readonly forwarding?: boolean
  readonly routes?: readonly RouteRule[]
  /** Sockets bound to the interface on `net` look into these tables first. */
  readonly rules?: readonly { readonly net: number; readonly ipv4: number; readonly ipv6: number }[]
  /** Nets whose sources leave eth0 with its address. */
  readonly masquerade?: readonly number[]
  /** By net: the interface has the node's address of another net, or none. */
  readonly addresses?: Readonly<Record<number, number | 'none'>>
  /** Bridges in the guest over its interfaces on `nets`, with the node's address of the net `address`. */
  readonly bridges?: readonly GuestBridgeRule[]
}

export interface GuestBridgeRule {
  readonly name: string
  readonly mac: string
  readonly nets: readonly number[]
  readonly address: number
}

/** How many nodes of a role there are, if nobody says; and how few the topology can do with. */
export interface Count {
  readonly usual: number
  readonly atLeast?: number
}

/** How nodes are wired and told to route: data, one file each in topologies/. */
export interface Topology {
  readonly name: string
  readonly doc: string
  readonly routers: Count
  readonly testers: Count
  /** Cluster nodes beside 1 – nvm. */
  readonly more?: readonly number[]
  /** The last entry that has a node in it counts. One for each role is needed. */
  readonly nets: readonly { readonly of: NodeSet; readonly nets: readonly number[] }[]
  /** The first entry that has a node in it counts. */
  readonly setup: readonly SetupRule[]
}

/** The default route of routers: through the host, where there is a way on. */
export const uplink: RouteRule = { to: 'default', via: [{ net: 0, node: hostId }] }

/** True when the set has the node in it. */
export function contains(set: NodeSet, id: number): boolean {
  if (typeof set === 'number') return set === id
  return typeof set === 'string' ? roleOf(id) === set : id >= set[0] && id <= set[1]
}
