import { addressText } from '../../base/index.ts'
import type { Message } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import * as wire from '../wire/index.ts'
import { encapFrom } from './encap.ts'
import { metricsFrom } from './metrics.ts'
import {
  preferences,
  type Realms,
  type RouteEntry,
  type RouteFlag,
  type RouterPreference,
  type RouteWay,
  routeFlags,
  routeTypes,
} from './spec.ts'

/** Undefined for entries that are not routes of a table: cached ones, multicast families. */
export function readRoute({ body }: Message): RouteEntry | undefined {
  const message = wire.routeMessage.read(body)
  const known = message.family === wire.AF_INET || message.family === wire.AF_INET6
  return known && !(message.flags & wire.RTM_F_CLONED) ? routeOf(message) : undefined
}

/** Converts the kernel's message. */
export function routeOf(message: wire.RouteMessage): RouteEntry {
  const { flags, attributes } = message
  const { destination, metrics, nextHops = [] } = attributes
  return {
    family: message.family === wire.AF_INET ? 4 : 6,
    destination: destination ? `${addressText(destination)}/${message.destinationLength}` : 'default',
    type: routeTypes[message.type] ?? 'unspec',
    table: attributes.table ?? message.table,
    protocol: message.protocol,
    scope: message.scope,
    metric: attributes.metric ?? 0,
    tos: message.tos,
    onlink: (flags & wire.RTNH_F_ONLINK) !== 0,
    flags: flagsOf(flags),
    ways: nextHops.map(wayOf),
    ...detailsOf(message),
    ...(metrics && metricsFrom(metrics)),
  }
}

function detailsOf({ attributes, sourceLength }: wire.RouteMessage) {
  const { source, preferredSource, preference, cache, mark, uid, inIndex } = attributes
  const [pref] = Object.entries(preferences).find(([, number]) => number === preference) ?? []
  return given({
    ...hopFrom(attributes),
    dev: attributes.outIndex,
    from: source && `${addressText(source)}/${sourceLength}`,
    source: preferredSource && addressText(preferredSource),
    nextHopId: attributes.nextHopId,
    preference: pref as RouterPreference | undefined,
    expires: cache?.expires ? Math.trunc(cache.expires / userHz) : undefined,
    mark,
    user: uid,
    inDev: inIndex,
  })
}

/** rta_cacheinfo counts in USER_HZ, which is 100 everywhere. */
const userHz = 100

export function flagsOf(bits: number): RouteFlag[] {
  return Object.entries(routeFlags).flatMap(([name, bit]) => (bits & bit ? [name as RouteFlag] : []))
}

function wayOf({ index, hops, flags, attributes }: wire.NextHop): RouteWay {
  return {
    dev: index,
    weight: hops + 1,
    onlink: (flags & wire.RTNH_F_ONLINK) !== 0,
    flags: flagsOf(flags),
    ...hopFrom(attributes),
  }
}

function hopFrom({ gateway, via, flow, ...rest }: wire.NextHop['attributes']) {
  const gate = gateway ?? via?.address
  return given({
    via: gate && addressText(gate),
    realms: flow ? realmsFrom(flow) : undefined,
    encap: encapFrom(rest),
  })
}

/** The realms of a listed route or rule: 0 is none. */
export function realmsFrom(bits: number): Realms {
  return given({ from: bits >>> 16 || undefined, to: bits & 0xffff || undefined })
}
