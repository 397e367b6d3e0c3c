import type { Role } from '../base/index.ts'
import type { LinkImpairments } from './impairment.ts'
import type { BridgePlan } from './network/bridges.ts'
import type { UserSpacePlan } from './network/user-limits.ts'

/** Everything about a cluster that is known before it is created. It is plain data; `--dry-run` prints it. */
export interface ClusterPlan {
  readonly v: 1
  readonly name: string
  readonly topology: string
  readonly mtu: number
  /** `fd00:` in `fd00::192.168.0.1`. */
  readonly prefix: string
  readonly nodes: readonly NodePlan[]
  /** The nodes of the same lab that other hosts have. Net 0 does not lead to them. */
  readonly elsewhere?: readonly NodePlan[]
  readonly bridges: BridgePlan
  /** Used in place of the bridges, where a network in user space was requested. */
  readonly userSpace?: UserSpacePlan
}

/** One node. */
export interface NodePlan {
  readonly id: number
  readonly name: string
  readonly role: Role
  readonly memMiB: number
  readonly vcpus: number
  /** The parameters added to the guest's kernel command line: `mtu1=9000 xcluster_PREFIX=fd00: …`. */
  readonly append: string
  readonly nets: readonly NodeNet[]
  readonly setup: NodeSetup
  /** By interface: what impairs its link from the start on. Absent: nothing. */
  readonly impairments?: Readonly<Record<string, LinkImpairments>>
}

/** `bridge`: bridges and taps in a network namespace. `user`: QEMU's user network and multicast segments. */
export type FabricKind = 'bridge' | 'user'

/** One interface of a node. The prefix lengths are always /24 and /120, so addresses omit them. */
export interface NodeNet {
  readonly net: number
  readonly dev: string
  readonly tap: string
  readonly mac: string
  /** Absent when the topology gives the interface no address. */
  readonly ipv4?: string
  readonly ipv6?: string
}

/** A node before its addresses: its number and the nets of its interfaces. */
export interface Wired {
  readonly id: number
  readonly nets: readonly number[]
}

/** The configuration that a running node gets, in terms of its own interfaces and addresses. */
export interface NodeSetup {
  /** Forward packets, IPv4 and IPv6. */
  readonly forwarding: boolean
  readonly routes: readonly RoutePlan[]
  /** Packets of sockets bound to `dev` are looked up in these tables first. */
  readonly rules: readonly RulePlan[]
  /** Packets from these subnets leave through eth0 with its address. */
  readonly masquerade: readonly Subnet[]
  /** Bridges inside the guest. */
  readonly bridges: readonly GuestBridge[]
}

/** One net's addresses: `192.168.1.0/24`, `fd00::c0a8:100/120`. */
export interface Subnet {
  readonly ipv4: string
  readonly ipv6: string
}

/** A node's addresses in a net, as a next hop for others. */
export interface Hop {
  readonly dev: string
  /** Absent when the destination is on the link itself. */
  readonly ipv4?: string
  readonly ipv6?: string
}

/** One route in both families. With several hops it is a multipath (ECMP) route. */
export interface RoutePlan {
  readonly to: 'default' | Subnet
  readonly hops: readonly Hop[]
  /** Absent for the main table. */
  readonly table?: { readonly ipv4: number; readonly ipv6: number }
}

export interface RulePlan {
  readonly dev: string
  readonly ipv4: number
  readonly ipv6: number
}

/** A bridge in a guest over some of its interfaces. It has an address; its ports have none. */
export interface GuestBridge {
  readonly name: string
  readonly mac: string
  readonly ports: readonly string[]
  readonly ipv4: string
  readonly ipv6: string
}
