import type { Direction, Netem } from '../impairment.ts'

/** What a node's kernel has, as far as a plan says something about it. Interfaces are named. */
export interface Observed {
  readonly links: readonly ObservedLink[]
  readonly addresses: readonly ObservedAddress[]
  readonly routes: readonly ObservedRoute[]
  /** In the order in which the kernel evaluates them. */
  readonly rules: readonly ObservedRule[]
  readonly neighbours: readonly ObservedNeighbour[]
  readonly masquerades: readonly Masqueraded[]
  /** What its own netem does to what it sends and receives. */
  readonly impairments: readonly ObservedImpairment[]
  /** By its name: `net/ipv4/ip_forward`. One that the kernel lacks is absent. */
  readonly sysctls: Readonly<Record<string, string>>
}

export interface ObservedImpairment extends Netem {
  readonly dev: string
  readonly direction: Exclude<Direction, 'both'>
}

export type IpFamily = 4 | 6
export const ipFamilies: readonly IpFamily[] = [4, 6]

export interface ObservedLink {
  readonly name: string
  /** Its number in the node. The plan does not say it. */
  readonly index?: number
  readonly mac?: string
  readonly mtu: number
  readonly up: boolean
  readonly carrier: boolean
  /** The bridge that it is a port of. */
  readonly master?: string
}

export interface ObservedAddress {
  readonly dev: string
  readonly family: IpFamily
  readonly address: string
  readonly prefix: number
  /** Another node has the same address: the kernel does not use it. */
  readonly duplicate?: boolean
  /** The kernel is still looking for another node with this address. */
  readonly tentative?: boolean
}

/** `via` is absent when the destination is on the link itself. */
export interface ObservedHop {
  readonly dev: string
  readonly via?: string
  readonly weight: number
  /** The kernel does not use it: its interface is down or has no carrier. */
  readonly dead?: boolean
}

export interface ObservedRoute {
  readonly family: IpFamily
  readonly table: number
  /** `default`, or address/prefix. */
  readonly destination: string
  /** `unicast`, `local`, `unreachable` … */
  readonly type: string
  readonly metric: number
  readonly mtu?: number
  readonly hops: readonly ObservedHop[]
  /** It is only for some packets: a type of service, or from a network. */
  readonly special?: boolean
}

export interface ObservedRule {
  readonly family: IpFamily
  readonly priority: number
  /** `lookup`, `unreachable` … */
  readonly action: string
  readonly table?: number
  readonly inDev?: string
  readonly outDev?: string
  readonly from?: string
  readonly to?: string
  /** It does not use routes of the table with this prefix length or a shorter one. */
  readonly suppressPrefixLength?: number
  /** It also depends on what the plan knows nothing of: marks, ports, users. */
  readonly special?: boolean
}

export interface ObservedNeighbour {
  readonly dev: string
  readonly address: string
  readonly mac?: string
  /** `reachable`, `failed`, `permanent` … */
  readonly state: string
}

/** Packets from `source` leave through `outDev` with its address. */
export interface Masqueraded {
  readonly outDev: string
  readonly source: string
}
