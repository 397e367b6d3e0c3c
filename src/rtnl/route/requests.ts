import { addressBytes, parseCidr } from '../../base/index.ts'
import {
  inRange,
  NetlinkError,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  type Request,
  request,
} from '../../netlink/index.ts'
import type { LinkRef, Names, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { encapAttributes } from './encap.ts'
import { metricsOf } from './metrics.ts'
import {
  type Lookup,
  type NextHop,
  preferences,
  type Realms,
  type RouteSpec,
  type RouteType,
  routeTypes,
} from './spec.ts'

const protocolBoot = 3

export function addRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, op: 'add route' }
  return operation(spec, about, creation)
}

export function replaceRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, op: 'replace route' }
  return operation(spec, about, creation)
}

/** Changes the route to the same destination. */
export function changeRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_REPLACE, op: 'change route' }
  return operation(spec, about, creation)
}

/** Adds a route after those to the same destination. */
export function appendRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_APPEND, op: 'append route' }
  return operation(spec, about, creation)
}

/** RTM_F_LOOKUP_TABLE: the answer has the table of the route. IPv6 always reports it, and refuses the flag. */
export function getRoute(to: string, { from, inDev, outDev, mark, tos }: Lookup, names: Names): Request {
  const [destination, source] = [addressBytes(to), from === undefined ? undefined : addressBytes(from)]
  const value: wire.RouteToWrite = {
    family: familyByLength(destination),
    destinationLength: destination.length * 8,
    sourceLength: (source?.length ?? 0) * 8,
    tos: tos ?? 0,
    flags: destination.length === 4 ? wire.RTM_F_LOOKUP_TABLE : 0,
    attributes: {
      ...{ destination, source, mark },
      inIndex: inDev === undefined ? undefined : names.indexOf(inDev),
      outIndex: outDev === undefined ? undefined : names.indexOf(outDev),
    },
  }
  return request(wire.routeMessage, value, { type: wire.RTM_GETROUTE, op: 'look up route to', target: to })
}

/** The kernel removes the first route that matches every given field. */
export function removeRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_DELROUTE, op: 'remove route' }
  take(about.op, spec, 'RouteSpec')
  const type = typeOf(spec, 'unspec')
  const { protocol = 0, scope = wire.RT_SCOPE_NOWHERE } = spec
  return operation(spec, about, () => ({ protocol, scope, type }))
}

type Header = Pick<wire.RouteToWrite, 'protocol' | 'scope' | 'type'>

/** The fields that `ip` fills in: without a gateway the destination is on the link. */
function creation({ protocol = protocolBoot, ...spec }: RouteSpec, family: number): Header {
  const type = typeOf(spec, 'unicast')
  return {
    protocol,
    scope: spec.scope ?? (family === wire.AF_INET ? scopeOf(type, spec) : wire.RT_SCOPE_UNIVERSE),
    type,
  }
}

/** A route over a blackhole nexthop is unicast, and is listed as a blackhole (fib_dump_info). */
function typeOf({ type, nextHopId }: RouteSpec, usual: RouteType): number {
  return routeTypes.indexOf(
    type === undefined || (type === 'blackhole' && nextHopId !== undefined) ? usual : type,
  )
}

function scopeOf(type: number, { via, ways = [], nextHopId }: RouteSpec): number {
  if (type === routeTypes.indexOf('local')) return wire.RT_SCOPE_HOST
  const direct = via === undefined && ways.length === 0 && nextHopId === undefined
  return direct && type === routeTypes.indexOf('unicast') ? wire.RT_SCOPE_LINK : wire.RT_SCOPE_UNIVERSE
}

function operation(
  spec: RouteSpec,
  about: { type: number; flags?: number; op: string },
  header: (spec: RouteSpec, family: number) => Header,
): Operation {
  const family = familyOf(about.op, take(about.op, spec, 'RouteSpec'))
  const destination = spec.destination === 'default' ? undefined : parseCidr(spec.destination)
  const from = spec.from === undefined ? undefined : parseCidr(spec.from)
  return {
    refers: devsOf(spec),
    requests(names) {
      const value: wire.RouteToWrite = {
        ...header(spec, family),
        family,
        destinationLength: destination?.prefix ?? 0,
        sourceLength: from?.prefix ?? 0,
        tos: spec.tos ?? 0,
        table: tableByte(spec.table),
        flags: spec.onlink ? wire.RTNH_F_ONLINK : 0,
        attributes: {
          destination: destination && addressBytes(destination.address),
          source: from && addressBytes(from.address),
          ...attributesOf(spec, family),
          ...hopsOf(spec, family, names),
        },
      }
      return [request(wire.routeMessage, value, { ...about, target: spec.destination })]
    },
  }
}

function devsOf({ dev, ways = [], nextHopId }: RouteSpec): LinkRef[] {
  if (nextHopId !== undefined) return []
  return [dev, ...ways.map(way => way.dev)].filter((one): one is LinkRef => one !== undefined)
}

function attributesOf(spec: RouteSpec, family: number): wire.RouteToWrite['attributes'] {
  const { table = wire.RT_TABLE_MAIN, source, metric, expires } = spec
  if (expires !== undefined && family === wire.AF_INET)
    throw rangeError('expires', 'the kernel lets only routes of IPv6 expire')
  return {
    preferredSource: source === undefined ? undefined : addressBytes(source),
    table: table > 255 ? table : undefined,
    metric,
    metrics: metricsOf(spec),
    preference: spec.preference && preferences[spec.preference],
    expires,
  }
}

/** Where the packets go. The kernel lists the hops of a nexthop object, and refuses them beside its id. */
function hopsOf(spec: RouteSpec, family: number, names: Names): wire.RouteToWrite['attributes'] {
  const { dev, ways = [], nextHopId } = spec
  if (nextHopId !== undefined) return { nextHopId }
  return {
    ...hopAttributes(spec, family),
    outIndex: dev === undefined ? undefined : names.indexOf(dev),
    nextHops: ways.length === 0 ? undefined : ways.map(way => hopOf(way, family, names)),
  }
}

function hopAttributes(hop: NextHop, family: number): wire.NextHop['attributes'] {
  const flow = hop.realms && realmBits(hop.realms)
  return { ...gatewayOf(hop.via, family), flow, ...encapAttributes(hop.encap) }
}

/** The source's realm in the upper half. */
export function realmBits({ from = 0, to = 0 }: Realms): number {
  for (const [name, realm] of Object.entries({ from, to }))
    inRange({ op: 'encode route', field: `realms.${name}`, value: realm, least: 0, most: 0xffff })
  return ((from << 16) | to) >>> 0
}

function rangeError(name: string, reason: string): NetlinkError {
  const about = { code: 'NETLINK_ENCODE', kind: 'usage', op: 'encode route', attribute: name } as const
  return new NetlinkError({ ...about, reason: `${name}: ${reason}` })
}

function hopOf(way: NextHop, family: number, names: Names): wire.NextHop {
  return {
    flags: way.onlink ? wire.RTNH_F_ONLINK : 0,
    hops: weightOf(way),
    index: way.dev === undefined ? 0 : names.indexOf(way.dev),
    attributes: hopAttributes(way, family),
  }
}

/** The kernel counts a weight from 0 (RTNH, ip-route(8)). */
function weightOf({ weight = 1 }: NextHop): number {
  return inRange({ op: 'encode next hop', field: 'weight', value: weight, least: 1, most: 256 }) - 1
}

/** RTA_GATEWAY, or RTA_VIA for an IPv6 gateway of an IPv4 route (RFC 5549). */
function gatewayOf(
  via: string | undefined,
  family: number,
): Pick<wire.NextHop['attributes'], 'gateway' | 'via'> {
  if (via === undefined) return {}
  const gateway = addressBytes(via)
  const own = familyByLength(gateway)
  return own === family ? { gateway } : { via: { family: own, address: gateway } }
}

function familyOf(op: string, { destination, family, via, source, ways }: RouteSpec): number {
  if (destination !== 'default') return familyByLength(addressBytes(parseCidr(destination).address))
  if (family !== undefined) return family === 4 ? wire.AF_INET : wire.AF_INET6
  const hint = via ?? source ?? ways?.find(way => way.via !== undefined)?.via
  if (hint !== undefined) return familyByLength(addressBytes(hint))
  const reason = "a default route needs 'family' or a gateway, to tell IPv4 from IPv6"
  throw new NetlinkError({ code: 'ROUTE_FAMILY', kind: 'usage', op, target: 'default', reason })
}

function familyByLength(address: Uint8Array): number {
  return address.length === 4 ? wire.AF_INET : wire.AF_INET6
}

/** Tables from 256 on are in RTA_TABLE. */
function tableByte(table: number = wire.RT_TABLE_MAIN): number {
  return table > 255 ? 0 : table
}
