import type { LinkRef } from '../operation.ts'
import type { Encap } from '../route/encap.ts'
import type { RouteFlag } from '../route/spec.ts'

/** A nexthop object of a group, and its share of the traffic: 1–65536 (from 257 on: Linux 6.12). */
export interface NextHopShare {
  readonly id: number
  /** Default: 1. */
  readonly weight?: number
}

/** A resilient group: flows keep their next hop while the group changes. Times in seconds. */
export interface Resilience {
  /** Default: as many as the group has members. */
  readonly buckets?: number
  /** How long a bucket must be idle before it moves to another next hop. */
  readonly idleTimer?: number
  /** How long the group may be unbalanced before busy buckets move too. 0: for ever. */
  readonly unbalancedTimer?: number
}

/** A nexthop object: where packets go, apart from the routes that use it (`nextHopId`). */
export interface NextHopObjectSpec {
  /** By default the kernel chooses one. */
  readonly id?: number
  /** Needed for IPv6 without a gateway. */
  readonly family?: 4 | 6
  readonly via?: string
  readonly dev?: LinkRef
  readonly onlink?: boolean
  /** Drops the packets. */
  readonly blackhole?: boolean
  /** A group of other nexthop objects, instead of `via` and `dev`. */
  readonly group?: readonly NextHopShare[]
  readonly resilient?: Resilience
  /** A peer of a vxlan, for forwarding entries. It has a gateway and no interface. */
  readonly fdb?: boolean
  /** The header that it puts in front of packets. */
  readonly encap?: Encap
  /** The origin (RTPROT_*). Default: 0. */
  readonly protocol?: number
}

/** A nexthop object of the kernel. `nextHops.add` takes it as it is. */
export interface NextHopObject extends Omit<NextHopObjectSpec, 'dev' | 'group' | 'resilient'> {
  readonly id: number
  /** Index of the interface. */
  readonly dev?: number
  /** Its name, if the listing was asked for names. */
  readonly devName?: string
  readonly protocol: number
  readonly scope: number
  readonly flags: readonly RouteFlag[]
  readonly group?: readonly Required<NextHopShare>[]
  readonly resilient?: Required<Resilience> & {
    /** Seconds that the group has been unbalanced. */
    readonly unbalancedTime: number
  }
}

/** A bucket of a resilient group. */
export interface NextHopBucket {
  /** The group. */
  readonly id: number
  readonly index: number
  readonly nextHopId: number
  /** Seconds since its last packet. */
  readonly idleTime: number
  readonly flags: readonly RouteFlag[]
}
