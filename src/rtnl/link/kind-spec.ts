import type { LinkRef } from '../operation.ts'
import type { BridgeAttributes, BridgeSettingNames } from '../wire/index.ts'
import type { BondSettings } from './bond.ts'
import type { fragmenting, GeneveSettings, TunnelSettings } from './tunnels.ts'

/** The settings of a bridge: `ip link … type bridge …`. Times in hundredths of a second. */
export type BridgeSettings = Pick<BridgeAttributes, BridgeSettingNames>

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
  /** Checksums of outgoing packets over IPv4. Over IPv6, whether they are left out, and accepted when absent. */
  readonly udpChecksum?: boolean
  readonly udpZeroChecksum6Tx?: boolean
  readonly udpZeroChecksum6Rx?: boolean
  /** Routes between its peers' networks without a router (route short circuit). */
  readonly routeShortCircuit?: boolean
  /** The flow label of outgoing IPv6 packets. */
  readonly label?: number
  /** Takes the TTL of the packet inside. */
  readonly ttlInherit?: true
  /** Extensions of the header: group policy (GBP), other protocols than Ethernet (GPE). */
  readonly groupPolicy?: true
  readonly genericProtocol?: true
  /** With `external`: only the VNIs of its filter (`bridge vni`). */
  readonly vniFilter?: boolean
  /** Delivers to a vxlan of this machine without sending (Linux 6.5). */
  readonly localBypass?: boolean
  /** Each packet brings its own VNI and peer (tc, OVS, eBPF). */
  readonly external?: boolean
  readonly dontFragment?: (typeof fragmenting)[number]
}

/** MACVLAN_MODE_*, each a bit. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const

/** `ip link … type macvlan …`, and macvtap. */
export interface MacvlanSettings {
  /** How the macvlans of one interface reach each other. Default: `vepa`. */
  readonly mode?: keyof typeof macvlanModes
  /** Only for `passthru`: the lower interface stays out of promiscuous mode. */
  readonly noPromiscuous?: boolean
  /** Broadcast frames that can wait for delivery to the macvlans of one interface: as wished, and as it is. */
  readonly broadcastQueueLength?: number
  readonly broadcastQueueLengthUsed?: number
  /** Broadcast frames go to the queue from this number of macvlans on; -1: never (Linux 6.5). */
  readonly broadcastCutoff?: number
  /** For `source`: the Ethernet addresses whose frames it gets. They replace the earlier ones; none at all removes them. */
  readonly macs?: readonly string[]
  /** The same, one at a time: of an existing interface. */
  readonly addMac?: string
  readonly removeMac?: string
}

export const ipvlanModes = ['l2', 'l3', 'l3s'] as const
/** IPVLAN_F_*, in order. */
export const isolations = ['bridge', 'private', 'vepa'] as const

export interface IpvlanSettings {
  readonly mode?: (typeof ipvlanModes)[number]
  readonly isolation?: (typeof isolations)[number]
}

/** ETH_P_* of tags. */
export const etherTypes = { '802.1Q': 0x8100, '802.1ad': 0x88a8 } as const

/** `ip link … type vlan …`. */
export interface VlanSettings {
  /** 0–4094. */
  readonly id: number
  /** Default: 802.1Q. */
  readonly protocol?: keyof typeof etherTypes
  /** Frames have the tag removed before they are handed on. Default: true. */
  readonly reorderHeader?: boolean
  /** Announces the VLAN to switches (GVRP, MVRP). */
  readonly gvrp?: boolean
  readonly mvrp?: boolean
  /** Stays up when the interface below is down. Follows the ports of the bridge below. */
  readonly looseBinding?: boolean
  readonly bridgeBinding?: boolean
}

/** VLAN_FLAG_* (linux/if_vlan.h). */
export const vlanFlags = {
  reorderHeader: 0x1,
  gvrp: 0x2,
  looseBinding: 0x4,
  mvrp: 0x8,
  bridgeBinding: 0x10,
} as const

export interface VrfSettings {
  /** The routing table of the interfaces enslaved to it. */
  readonly table: number
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
  readonly geneve?: GeneveSettings
  /** For gre, gretap, ip6gre, ip6gretap, ipip, sit, ip6tnl, vti and vti6. */
  readonly tunnel?: TunnelSettings
  /** The settings of a kind without a table here: the bytes of IFLA_INFO_DATA (`encoded` makes them). */
  readonly data?: Uint8Array
}
