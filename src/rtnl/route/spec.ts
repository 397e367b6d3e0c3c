import type { LinkRef } from '../operation.ts'

/** What the route does with packets: RTN_*. */
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

/** A next hop: a gateway, an interface, or a gateway on an interface. */
export interface NextHop {
  readonly via?: string
  readonly dev?: LinkRef
  /** 1–256: its share of the traffic, relative to the other next hops. */
  readonly weight?: number
  /** Treat the gateway as on the link, although no address of the interface says so. */
  readonly onlink?: boolean
}

/** Properties of the path to the destination (RTAX_*). One that is left out is determined by the kernel. */
export interface RouteMetrics {
  /** Bytes of an IP packet. */
  readonly mtu?: number
  /** Path MTU discovery must not lower it. */
  readonly mtuLocked?: boolean
  /** Bytes of payload in a TCP segment, as announced to the peer. */
  readonly advmss?: number
  /** The largest TCP window to advertise, in bytes. */
  readonly window?: number
  readonly hopLimit?: number
  /** TCP's initial congestion window and initial receive window, in segments. */
  readonly initcwnd?: number
  readonly initrwnd?: number
  readonly quickAck?: boolean
}

export interface RouteSpec extends RouteMetrics, Omit<NextHop, 'weight'> {
  /** `192.168.1.0/24`, `fd00::/120`, or `default`, which takes its family from `family` or a gateway. */
  readonly destination: string
  readonly family?: 4 | 6
  readonly type?: RouteType
  /** Several next hops (ECMP), instead of `via` and `dev`. */
  readonly ways?: readonly NextHop[]
  /** Default: 254, main. */
  readonly table?: number
  /** Default for IPv6: 1024. */
  readonly metric?: number
  /** The source address for packets sent by this machine. */
  readonly source?: string
  /** Type of service: 0–255. */
  readonly tos?: number
  /** The origin of the route (RTPROT_*). Default: 3, boot. */
  readonly protocol?: number
}

/** A route. */
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

/** The properties of the packet that a route is looked up for. */
export interface Lookup {
  readonly from?: string
  /** The packet arrives on this interface; needs `from`. */
  readonly inDev?: LinkRef
  /** The packet's socket is bound to this interface. */
  readonly outDev?: LinkRef
  readonly mark?: number
  readonly tos?: number
}
