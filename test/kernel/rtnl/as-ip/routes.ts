import type { Encap, RouteEntry, RouteMetrics, RouteWay } from '../../../../src/rtnl/index.ts'

/** An object of ip's JSON. */
export type Shown = Record<string, unknown>

/** The same object without undefined values. */
export const given = (values: Shown): Shown =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

const types = ['', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const typeWords = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast']
const typeOf = (type: string) =>
  types[[...typeWords, 'blackhole', 'unreachable', 'prohibit', 'throw'].indexOf(type)]

/** ip writes an address of a single host without its prefix length. */
const networkOf = (cidr: string) => cidr.replace(cidr.includes(':') ? /\/128$/ : /\/32$/, '')

const gatewayOf = ({ via }: { via?: string }, family: 4 | 6): Shown => {
  if (via === undefined) return {}
  return family === 4 && via.includes(':') ? { via: { family: 'inet6', host: via } } : { gateway: via }
}

const flowOf = ({ realms }: Pick<RouteWay, 'realms'>): Shown =>
  realms ? { flow: given({ from: realms.from?.toString(), to: realms.to?.toString() }) } : {}

function encapOf(encap: Encap | undefined): Shown {
  if (encap?.type === 'seg6' && 'segments' in encap)
    return {
      encap: 'seg6',
      mode: encap.mode,
      segs: [...encap.segments, ...(encap.mode === 'inline' ? ['::'] : [])],
    }
  if (encap === undefined || !('id' in encap)) return {}
  const { type, id, from: src, to: dst, ttl, tos } = encap
  return { encap: type, id, src, dst, ...(type === 'ip' ? { ttl, tos } : { hoplimit: ttl, tc: tos }) }
}

function metricsOf(route: RouteMetrics): Shown {
  const { mtu, window, rtt, rttVar, ssthresh, cwnd, advmss, reordering, hopLimit, initcwnd } = route
  const { initrwnd, features, rtoMin, quickAck, congestionControl, fastOpenNoCookie } = route
  const shown = given({
    ...{ mtu, window, ssthresh, cwnd, advmss, reordering, initcwnd, initrwnd },
    rtt: rtt && Math.trunc(rtt),
    rttvar: rttVar && Math.trunc(rttVar),
    hoplimit: hopLimit,
    ecn: features === undefined ? undefined : null,
    rto_min: rtoMin,
    quickack: quickAck && Number(quickAck),
    congestion: congestionControl,
    fastopen_no_cookie: fastOpenNoCookie && Number(fastOpenNoCookie),
  })
  return Object.keys(shown).length === 0 ? {} : { metrics: [shown] }
}

const flagNames: Record<string, string> = { rtOffload: 'rt_offload', rtTrap: 'rt_trap' }
const flagsOf = (flags: readonly string[]) => flags.map(flag => flagNames[flag] ?? flag)

/** What `ip -N -j -d route show table all` says about a route that this library lists with names. */
export function routeAsIp(route: RouteEntry): Shown {
  const { family, destination, metric, tos } = route
  return given({
    type: typeOf(route.type),
    dst: networkOf(destination),
    from: route.from && networkOf(route.from),
    ...encapOf(route.encap),
    ...(tos !== 0 && { tos: `0x${tos.toString(16)}` }),
    nhid: route.nextHopId,
    ...gatewayOf(route, family),
    dev: route.devName,
    table: `${route.table}`,
    protocol: `${route.protocol}`,
    scope: `${route.scope}`,
    prefsrc: route.source,
    metric: family === 4 && metric === 0 ? undefined : metric,
    flags: flagsOf(route.flags),
    ...flowOf(route),
    ...metricsOf(route),
    expires: route.expires,
    pref: route.preference,
    nexthops: route.ways.length === 0 ? undefined : route.ways.map(way => wayAsIp(way, family)),
  })
}

function wayAsIp(way: RouteWay, family: 4 | 6): Shown {
  const { devName, weight, flags } = way
  return { ...gatewayOf(way, family), ...flowOf(way), dev: devName, weight, flags: flagsOf(flags) }
}
