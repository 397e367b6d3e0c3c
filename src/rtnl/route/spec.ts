import type { LinkRef } from '../operation.ts'
import type { Encap } from './encap.ts'
import type { RouteMetrics } from './metrics.ts'

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
  readonly realms?: Realms
  /** The header that it puts in front of packets: mpls, ip, ip6, seg6. */
  readonly encap?: Encap
}

/** Routing realms of sources and destinations, 0–65535 each, for `tc` (ip-route(8)). */
export interface Realms {
  readonly from?: number
  readonly to?: number
}

/** RTNH_F_* and RTM_F_*: what the kernel says about a route or a next hop. */
export const routeFlags = {
  dead: 0x1,
  pervasive: 0x2,
  onlink: 0x4,
  offload: 0x8,
  linkdown: 0x10,
  unresolved: 0x20,
  trap: 0x40,
  notify: 0x100,
  cloned: 0x200,
  equalize: 0x400,
  prefix: 0x800,
  rtOffload: 0x4000,
  rtTrap: 0x8000,
  rtOffloadFailed: 0x20000000,
} as const
export type RouteFlag = keyof typeof routeFlags

/** ICMPV6_ROUTER_PREF_* (RFC 4191). */
export const preferences = { medium: 0, high: 1, low: 3 } as const
export type RouterPreference = keyof typeof preferences

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
  /** How near the destination is (RT_SCOPE_*): `universe` 0, `link` 253, `host` 254. Default: as its type asks. */
  readonly scope?: number
  /** IPv6: only packets from this network, `fd00::/64`. */
  readonly from?: string
  /** A nexthop object (`nextHops`), instead of `via`, `dev` and `ways`. */
  readonly nextHopId?: number
  /** IPv6: which of several default routers to prefer. */
  readonly preference?: RouterPreference
  /** IPv6: seconds until the route is removed. */
  readonly expires?: number
}

/** A next hop of a listed route. */
export interface RouteWay extends Omit<NextHop, 'dev'> {
  /** Index of the interface. */
  readonly dev: number
  /** Its name, if the listing was asked for names. */
  readonly devName?: string
  readonly weight: number
  readonly onlink: boolean
  readonly flags: readonly RouteFlag[]
}

type Details = 'from' | 'source' | 'nextHopId' | 'preference' | 'expires' | 'via' | 'realms' | 'encap'

/** A route. `routes.add` takes it as it is. */
export interface RouteEntry extends RouteMetrics, Pick<RouteSpec, Details> {
  readonly family: 4 | 6
  /** `default` or address/prefix. */
  readonly destination: string
  readonly type: RouteType
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly metric: number
  /** Index of the interface. */
  readonly dev?: number
  /** Its name, if the listing was asked for names. */
  readonly devName?: string
  readonly tos: number
  readonly onlink: boolean
  readonly flags: readonly RouteFlag[]
  readonly ways: readonly RouteWay[]
  /** In an answer of `routes.get`: the mark, the incoming interface and the user that it holds for. */
  readonly mark?: number
  readonly inDev?: number
  readonly user?: number
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
