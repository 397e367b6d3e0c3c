import type * as wire from '../wire/index.ts'

type Wire = NonNullable<NonNullable<wire.RouteToWrite['attributes']>['metrics']>

/** Properties of the path to the destination (RTAX_*). One that is left out is determined by the kernel. */
export interface RouteMetrics {
  /** Bytes of an IP packet. */
  readonly mtu?: number
  /** The largest TCP window to advertise, in bytes. */
  readonly window?: number
  /** TCP's first estimates of the round-trip time and its variance, in milliseconds. */
  readonly rtt?: number
  readonly rttVar?: number
  /** TCP's slow start threshold and largest congestion window, in segments. */
  readonly ssthresh?: number
  readonly cwnd?: number
  /** Bytes of payload in a TCP segment, as announced to the peer. */
  readonly advmss?: number
  readonly reordering?: number
  readonly hopLimit?: number
  /** TCP's initial congestion window and initial receive window, in segments. */
  readonly initcwnd?: number
  readonly initrwnd?: number
  /** RTAX_FEATURE_*: 1 is ECN. */
  readonly features?: number
  /** TCP's smallest retransmission timeout, in milliseconds. */
  readonly rtoMin?: number
  readonly quickAck?: boolean
  readonly congestionControl?: string
  /** TCP Fast Open works without a cookie. */
  readonly fastOpenNoCookie?: boolean
  /** The metrics that the kernel must not change by itself: path MTU discovery keeps a locked `mtu`. */
  readonly locked?: readonly RouteMetric[]
}
export type RouteMetric = Exclude<keyof RouteMetrics, 'locked'>

interface Kind {
  /** Its bit in RTAX_LOCK, which is its number. */
  readonly number: number
  /** How many of the kernel's units are one of ours. The kernel counts rtt in eighths, rttvar in quarters. */
  readonly units?: number
  readonly boolean?: boolean
}

const metrics: Readonly<Record<RouteMetric, Kind>> = {
  mtu: { number: 2 },
  window: { number: 3 },
  rtt: { number: 4, units: 8 },
  rttVar: { number: 5, units: 4 },
  ssthresh: { number: 6 },
  cwnd: { number: 7 },
  advmss: { number: 8 },
  reordering: { number: 9 },
  hopLimit: { number: 10 },
  initcwnd: { number: 11 },
  features: { number: 12 },
  rtoMin: { number: 13 },
  initrwnd: { number: 14 },
  quickAck: { number: 15, boolean: true },
  congestionControl: { number: 16 },
  fastOpenNoCookie: { number: 17, boolean: true },
}
export const metricNames = Object.keys(metrics)
const all = Object.entries(metrics) as [RouteMetric, Kind][]

/** RTA_METRICS; undefined without any. */
export function metricsOf(spec: RouteMetrics): Wire | undefined {
  const given = all.flatMap(([name, { units = 1, boolean }]) => {
    const value = spec[name]
    if (value === undefined) return []
    return [[name, boolean ? Number(value) : typeof value === 'number' ? value * units : value]]
  })
  const lock = (spec.locked ?? []).reduce((bits, name) => bits | (1 << metrics[name].number), 0)
  if (given.length === 0 && lock === 0) return undefined
  return { ...Object.fromEntries(given), lock: lock === 0 ? undefined : lock }
}

/** The metrics of a listed route. */
export function metricsFrom({ lock = 0, ...found }: Wire): RouteMetrics {
  const values = all.flatMap(([name, { units = 1, boolean }]) => {
    const value = found[name]
    if (value === undefined) return []
    return [[name, boolean ? value !== 0 : typeof value === 'number' ? value / units : value]]
  })
  const locked = all.flatMap(([name, { number }]) => (lock & (1 << number) ? [name] : []))
  return { ...Object.fromEntries(values), ...(locked.length > 0 && { locked }) }
}
