import type { LinkRef } from '../operation.ts'

/** What becomes of a packet: RTN_*. */
export const routeTypes = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const
export type RouteType = (typeof routeTypes)[number]

/** A way out: over a gateway, an interface, or a gateway on an interface. */
export interface NextHop {
  readonly via?: string
  readonly dev?: LinkRef
  /** 1–256: how much of the traffic, next to the other ways. */
  readonly weight?: number
  /** The gateway is on the interface though no address there says so. */
  readonly onlink?: boolean
}

/** What a route says of the way to its destination (RTAX_*). Left out, the kernel works it out. */
export interface RouteMetrics {
  /** Bytes of an IP packet. */
  readonly mtu?: number
  /** Not to be lowered by what the network reports. */
  readonly mtuLocked?: boolean
  /** Bytes of payload of a TCP segment, as announced to the peer. */
  readonly advmss?: number
  /** Bytes. */
  readonly window?: number
  readonly hopLimit?: number
  /** Segments that TCP starts with, and is offered at first. */
  readonly initcwnd?: number
  readonly initrwnd?: number
  readonly quickAck?: boolean
}

export interface RouteSpec extends RouteMetrics, Omit<NextHop, 'weight'> {
  /** `192.168.1.0/24`, `fd00::/120`, or `default`; then `family` or a gateway says which one. */
  readonly destination: string
  readonly family?: 4 | 6
  readonly type?: RouteType
  /** Several ways at once (ECMP), instead of `via` and `dev`. */
  readonly ways?: readonly NextHop[]
  /** 254, main, unless given. */
  readonly table?: number
  /** IPv6 has 1024 unless given. */
  readonly metric?: number
  /** The address to send from. */
  readonly source?: string
  /** Type of service: 0–255. */
  readonly tos?: number
  /** Who made it (RTPROT_*): 3, boot, unless given. */
  readonly protocol?: number
}

/** A route as it is. */
export interface RouteEntry extends RouteMetrics {
  readonly family: 4 | 6
  /** `default` or address/prefix. */
  readonly destination: string
  readonly type: RouteType
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly metric: number
  readonly via?: string
  /** Index of the interface. */
  readonly dev?: number
  readonly source?: string
  readonly tos: number
  readonly onlink: boolean
  readonly ways: readonly { via?: string; dev: number; weight: number; onlink: boolean }[]
}

/** Which packets a route is looked up for. */
export interface Lookup {
  readonly from?: string
  /** It comes in by this interface; with `from`. */
  readonly inDev?: LinkRef
  /** Its socket is bound to this interface. */
  readonly outDev?: LinkRef
  readonly mark?: number
  readonly tos?: number
}
