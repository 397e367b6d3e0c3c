import type { LinkRef } from '../operation.ts'
import type { BridgeAttributes } from '../wire/index.ts'

/** The settings of a bridge: `ip link … type bridge …`. Times in hundredths of a second. */
export type BridgeSettings = Omit<BridgeAttributes, 'unknown'>

/** `ip link … type vxlan …` (drivers/net/vxlan). */
export interface VxlanSettings {
  /** The VXLAN network identifier, 24 bits. Not allowed with `external`. */
  readonly vni?: number
  /**
   * The destination of frames to unknown addresses: a peer, or a multicast group (with `dev`). `fdb.append`
   * adds more peers.
   */
  readonly remote?: string
  /** The source address of the tunnel. */
  readonly local?: string
  /** The interface under the tunnel. */
  readonly dev?: LinkRef
  /** UDP destination port. The kernel's default is 8472; IANA's port is 4789. */
  readonly port?: number
  /** Range of UDP source ports, first and last. */
  readonly sourcePorts?: readonly [first: number, last: number]
  readonly ttl?: number
  readonly tos?: number
  /** Learns addresses from incoming frames. Default: true. */
  readonly learning?: boolean
  /** Seconds until a learnt address is forgotten. */
  readonly ageingTime?: number
  /** The most addresses that it learns. */
  readonly limit?: number
  readonly proxy?: boolean
  readonly l2Miss?: boolean
  readonly l3Miss?: boolean
  readonly udpChecksum?: boolean
  /** Each packet brings its own VNI and peer (tc, OVS, eBPF). */
  readonly external?: boolean
  readonly dontFragment?: 'unset' | 'set' | 'inherit'
}

/** MACVLAN_MODE_*, each a bit. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const

/** `ip link … type macvlan …`, and macvtap. */
export interface MacvlanSettings {
  /** How the macvlans of one interface reach each other. Default: `vepa`. */
  readonly mode?: keyof typeof macvlanModes
  /** Only for `passthru`: the lower interface stays out of promiscuous mode. */
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
  /** Default: 802.1Q. */
  readonly protocol?: '802.1Q' | '802.1ad'
}

export interface VrfSettings {
  /** The routing table of the interfaces enslaved to it. */
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
  /** Interval of link monitoring, in milliseconds. */
  readonly miimon?: number
  readonly upDelay?: number
  readonly downDelay?: number
  readonly transmitHashPolicy?: (typeof hashPolicies)[number]
  readonly minLinks?: number
  readonly lacpRate?: 'slow' | 'fast'
  readonly failOverMac?: 'none' | 'active' | 'follow'
}

/** The settings that only one kind of interface has, by kind. */
export interface KindSettings {
  readonly bridge?: BridgeSettings
  readonly vxlan?: VxlanSettings
  /** For macvlan and macvtap. */
  readonly macvlan?: MacvlanSettings
  readonly ipvlan?: IpvlanSettings
  readonly vlan?: VlanSettings
  readonly vrf?: VrfSettings
  readonly bond?: BondSettings
}
