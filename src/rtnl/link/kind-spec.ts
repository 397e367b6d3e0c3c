import type { LinkRef } from '../operation.ts'
import type { BridgeAttributes } from '../wire/index.ts'

/** A bridge's own settings: `ip link … type bridge …`. Times in hundredths of a second. */
export type BridgeSettings = Omit<BridgeAttributes, 'unknown'>

/** `ip link … type vxlan …` (drivers/net/vxlan). */
export interface VxlanSettings {
  /** The virtual network's number, 24 bits; not with `external`. */
  readonly vni?: number
  /** Where frames to unknown addresses go: a peer, or a multicast group (with `dev`). More peers: `fdb.append`. */
  readonly remote?: string
  /** The address to send from. */
  readonly local?: string
  /** The interface that frames travel by. */
  readonly dev?: LinkRef
  /** UDP port of the peers. The kernel's default is 8472, IANA's port 4789. */
  readonly port?: number
  /** UDP ports to send from, first and last. */
  readonly sourcePorts?: readonly [first: number, last: number]
  readonly ttl?: number
  readonly tos?: number
  /** Whether it learns addresses from what arrives: on unless told otherwise. */
  readonly learning?: boolean
  /** Seconds until a learnt address is forgotten. */
  readonly ageingTime?: number
  /** How many addresses it learns at most. */
  readonly limit?: number
  readonly proxy?: boolean
  readonly l2Miss?: boolean
  readonly l3Miss?: boolean
  readonly udpChecksum?: boolean
  /** Number and peer come with each packet (tc, OVS, eBPF). */
  readonly external?: boolean
  readonly dontFragment?: 'unset' | 'set' | 'inherit'
}

/** MACVLAN_MODE_*, each a bit. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const

/** `ip link … type macvlan …`, and macvtap. */
export interface MacvlanSettings {
  /** What ports of one interface see of each other; `vepa` unless given. */
  readonly mode?: keyof typeof macvlanModes
  /** `passthru` alone: the interface below stays out of promiscuous mode. */
  readonly noPromiscuous?: boolean
}

export const ipvlanModes = ['l2', 'l3', 'l3s'] as const

export interface IpvlanSettings {
  readonly mode?: (typeof ipvlanModes)[number]
  readonly isolation?: 'bridge' | 'private' | 'vepa'
}

/** `ip link … type vlan …`. */
export interface VlanSettings {
  /** 0–4094. */
  readonly id: number
  /** 802.1Q unless given. */
  readonly protocol?: '802.1Q' | '802.1ad'
}

export interface VrfSettings {
  /** The routing table of whatever is enslaved to it. */
  readonly table: number
}

export const bondModes = [
  'balance-rr',
  'active-backup',
  'balance-xor',
  'broadcast',
  '802.3ad',
  'balance-tlb',
  'balance-alb',
] as const

export const hashPolicies = ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4', 'vlan+srcmac'] as const

/** `ip link … type bond …`. Times in milliseconds. */
export interface BondSettings {
  readonly mode?: (typeof bondModes)[number]
  /** How often the links are looked at. */
  readonly miimon?: number
  readonly upDelay?: number
  readonly downDelay?: number
  readonly transmitHashPolicy?: (typeof hashPolicies)[number]
  readonly minLinks?: number
  readonly lacpRate?: 'slow' | 'fast'
  readonly failOverMac?: 'none' | 'active' | 'follow'
}

/** What only one kind of interface has, by that kind. */
export interface KindSettings {
  readonly bridge?: BridgeSettings
  readonly vxlan?: VxlanSettings
  /** Of a macvlan or a macvtap. */
  readonly macvlan?: MacvlanSettings
  readonly ipvlan?: IpvlanSettings
  readonly vlan?: VlanSettings
  readonly vrf?: VrfSettings
  readonly bond?: BondSettings
}
