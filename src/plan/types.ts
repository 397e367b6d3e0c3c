import type { Role } from '../base/index.ts'
import type { BridgePlan } from './network/bridges.ts'
import type { UserSpacePlan } from './network/user-limits.ts'

/** Everything about a cluster that is known before anything is done: plain data, printed by `--dry-run`. */
export interface ClusterPlan {
  readonly v: 1
  readonly name: string
  readonly topology: string
  readonly mtu: number
  /** `fd00:` in `fd00::192.168.0.1`. */
  readonly prefix: string
  readonly nodes: readonly NodePlan[]
  readonly bridges: BridgePlan
  /** In their place, where the network was asked for in user space. */
  readonly userSpace?: UserSpacePlan
}

/** One node. */
export interface NodePlan {
  readonly id: number
  readonly name: string
  readonly role: Role
  readonly memMiB: number
  readonly vcpus: number
  /** What is added to the guest's kernel command line: `mtu1=9000 xcluster_PREFIX=fd00: …`. */
  readonly append: string
  readonly nets: readonly NodeNet[]
  readonly setup: NodeSetup
}

/** `bridge`: bridges and taps in a network namespace. `user`: QEMU's user net and multicast segments. */
export type FabricKind = 'bridge' | 'user'

/** One interface of a node. Addresses come without their length, which is always /24 and /120. */
export interface NodeNet {
  readonly net: number
  readonly dev: string
  readonly tap: string
  readonly mac: string
  /** Absent where the topology leaves the interface without an address. */
  readonly ipv4?: string
  readonly ipv6?: string
}

/** A node before its addresses: its number and the nets of its interfaces. */
export interface Wired {
  readonly id: number
  readonly nets: readonly number[]
}

/** What a node is told once it runs, in terms of its own interfaces and addresses. */
export interface NodeSetup {
  /** Forward packets, IPv4 and IPv6. */
  readonly forwarding: boolean
  readonly routes: readonly RoutePlan[]
  /** Packets of sockets bound to `dev` look into these tables first. */
  readonly rules: readonly RulePlan[]
  /** Sources of these subnets leave eth0 with its address. */
  readonly masquerade: readonly Subnet[]
  /** Bridges inside the guest. */
  readonly bridges: readonly GuestBridge[]
}

/** One net's addresses: `192.168.1.0/24`, `fd00::c0a8:100/120`. */
export interface Subnet {
  readonly ipv4: string
  readonly ipv6: string
}

/** A node's addresses on a net, as others use them for a next hop. */
export interface Hop {
  readonly dev: string
  /** Absent: the destination is on the link itself. */
  readonly ipv4?: string
  readonly ipv6?: string
}

/** One route in both families; several hops make it ECMP. */
export interface RoutePlan {
  readonly to: 'default' | Subnet
  readonly hops: readonly Hop[]
  /** Absent: the main tables. */
  readonly table?: { readonly ipv4: number; readonly ipv6: number }
}

export interface RulePlan {
  readonly dev: string
  readonly ipv4: number
  readonly ipv6: number
}

/** A bridge in a guest over some of its interfaces, with the addresses that they then do without. */
export interface GuestBridge {
  readonly name: string
  readonly mac: string
  readonly ports: readonly string[]
  readonly ipv4: string
  readonly ipv6: string
}
