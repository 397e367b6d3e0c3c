import { addressBytes, parseCidr } from '../../base/index.ts'
import {
  NetlinkError,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  type Request,
  request,
} from '../../netlink/index.ts'
import type { LinkRef, Names, Operation } from '../operation.ts'
import * as wire from '../wire/index.ts'
import { type Lookup, type NextHop, type RouteMetrics, type RouteSpec, routeTypes } from './spec.ts'

const protocolBoot = 3

export function addRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, op: 'add route' }
  return operation(spec, about, creation(spec))
}

export function replaceRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, op: 'replace route' }
  return operation(spec, about, creation(spec))
}

/** Adds a route after those to the same destination. */
export function appendRoute(spec: RouteSpec): Operation {
  const about = { type: wire.RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_APPEND, op: 'append route' }
  return operation(spec, about, creation(spec))
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
  const type = spec.type === undefined ? 0 : routeTypes.indexOf(spec.type)
  return operation(spec, about, { protocol: spec.protocol ?? 0, scope: wire.RT_SCOPE_NOWHERE, type })
}

type Header = Pick<wire.RouteToWrite, 'protocol' | 'scope' | 'type'>

/** The fields that `ip` fills in: without a gateway the destination is on the link. */
function creation({ protocol = protocolBoot, type = 'unicast', ...spec }: RouteSpec): Header {
  const direct = type === 'unicast' && spec.via === undefined && spec.ways === undefined
  const scope = direct ? wire.RT_SCOPE_LINK : type === 'local' ? wire.RT_SCOPE_HOST : wire.RT_SCOPE_UNIVERSE
  return { protocol, scope, type: routeTypes.indexOf(type) }
}

function operation(
  spec: RouteSpec,
  about: { type: number; flags?: number; op: string },
  header: Header,
): Operation {
  const family = familyOf(about.op, spec)
  const destination = spec.destination === 'default' ? undefined : parseCidr(spec.destination)
  const devs = [spec.dev, ...(spec.ways ?? []).map(({ dev }) => dev)]
  return {
    refers: devs.filter((dev): dev is LinkRef => dev !== undefined),
    requests(names) {
      const value: wire.RouteToWrite = {
        ...header,
        family,
        destinationLength: destination?.prefix ?? 0,
        tos: spec.tos ?? 0,
        table: tableByte(spec.table),
        flags: spec.onlink ? wire.RTNH_F_ONLINK : 0,
        attributes: {
          destination: destination && addressBytes(destination.address),
          ...attributesOf(spec, family, names),
        },
      }
      return [request(wire.routeMessage, value, { ...about, target: spec.destination })]
    },
  }
}

function attributesOf(spec: RouteSpec, family: number, names: Names): wire.RouteToWrite['attributes'] {
  const { table = wire.RT_TABLE_MAIN, source, dev } = spec
  return {
    ...gatewayOf(spec.via, family),
    preferredSource: source === undefined ? undefined : addressBytes(source),
    table: table > 255 ? table : undefined,
    outIndex: dev === undefined ? undefined : names.indexOf(dev),
    metric: spec.metric,
    metrics: metricsOf(spec),
    nextHops: spec.ways?.map(way => hopOf(way, family, names)),
  }
}

const RTAX_MTU = 2

function metricsOf(spec: RouteMetrics): NonNullable<wire.RouteToWrite['attributes']>['metrics'] {
  const { mtu, mtuLocked, advmss, window, hopLimit, initcwnd, initrwnd, quickAck } = spec
  const lock = mtuLocked ? 1 << RTAX_MTU : undefined
  const metrics = {
    ...{ mtu, advmss, window, hopLimit, initcwnd, initrwnd, lock },
    quickAck: quickAck === undefined ? undefined : Number(quickAck),
  }
  return Object.values(metrics).every(value => value === undefined) ? undefined : metrics
}

function hopOf(way: NextHop, family: number, names: Names): wire.NextHop {
  return {
    flags: way.onlink ? wire.RTNH_F_ONLINK : 0,
    hops: (way.weight ?? 1) - 1,
    index: way.dev === undefined ? 0 : names.indexOf(way.dev),
    attributes: gatewayOf(way.via, family),
  }
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
