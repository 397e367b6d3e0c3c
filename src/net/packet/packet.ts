/** The Ethernet header. */
export interface EthernetFields {
  readonly source: string
  readonly destination: string
  /** Of what follows the VLAN tags: 0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP … */
  readonly etherType: number
}

/** ARP for IPv4 on Ethernet (RFC 826). */
export interface ArpFields {
  /** 1 request, 2 reply. */
  readonly operation: number
  readonly senderMac: string
  readonly senderAddress: string
  readonly targetMac: string
  readonly targetAddress: string
}

/** IPv4 or IPv6. */
export interface IpFields {
  readonly version: 4 | 6
  readonly source: string
  readonly destination: string
  /** After the extension headers of IPv6: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6 … */
  readonly protocol: number
  /** Time to live, or hop limit. */
  readonly ttl: number
  /** The six bits of differentiated services, and the two of congestion (RFC 2474, RFC 3168). */
  readonly dscp: number
  readonly ecn: number
  /** True in all fragments but the first: these have no header of the protocol. */
  readonly laterFragment: boolean
}

export interface TcpFields {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly sequence: number
  readonly acknowledgement: number
  /** Bytes, as in the header: without window scaling. */
  readonly window: number
  readonly flags: readonly TcpFlag[]
}

/** In the order of their bits (RFC 9293 §3.1). */
export const tcpFlags = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const
export type TcpFlag = (typeof tcpFlags)[number]

export interface UdpFields {
  readonly sourcePort: number
  readonly destinationPort: number
}

/** ICMP (RFC 792) or ICMPv6 (RFC 4443). */
export interface IcmpFields {
  readonly type: number
  readonly code: number
  /** Of echo requests and replies. */
  readonly identifier?: number
  readonly sequence?: number
  /** The target of a neighbour solicitation or advertisement (RFC 4861). */
  readonly target?: string
}

/** The headers of a frame as plain data. A header that is not there, or not whole, is absent. */
export interface Headers {
  readonly ethernet: EthernetFields
  /** The ids of VLAN tags, the outer first. Empty without. */
  readonly vlans: readonly number[]
  readonly arp?: ArpFields
  readonly ip?: IpFields
  readonly tcp?: TcpFields
  readonly udp?: UdpFields
  readonly icmp?: IcmpFields
  readonly icmp6?: IcmpFields
  /** What follows the last of these headers. */
  readonly payload: Uint8Array
}

/** A frame that passed a node's interface. */
export interface Packet extends Headers {
  /** `vm-001/eth1` */
  readonly link: string
  readonly node: number
  readonly net: number
  /** When the kernel saw it, in milliseconds since 1970. */
  readonly at: number
  /** The whole frame, without its check sequence. */
  readonly bytes: Uint8Array
}
