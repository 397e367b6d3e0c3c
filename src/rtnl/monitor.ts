import { type Message, type NetNamespace, type Subscription, subscribe } from '../netlink/index.ts'
import type { Address } from './address/address.ts'
import { readAddress } from './address/addresses.ts'
import type { Link } from './link/link.ts'
import { readLink } from './link/links.ts'
import { readFdbEntry } from './neighbour/fdb.ts'
import type { FdbEntry } from './neighbour/fdb-entry.ts'
import type { Neighbour } from './neighbour/neighbour.ts'
import { readNeighbour } from './neighbour/neighbours.ts'
import { readNextHop } from './nexthop/nexthops.ts'
import type { NextHopObject } from './nexthop/spec.ts'
import { readRoute } from './route/entry.ts'
import type { RouteEntry } from './route/spec.ts'
import type { Rule } from './rule/rule.ts'
import { readRule } from './rule/rules.ts'
import { take } from './takes.ts'
import { routeDecoder } from './trace.ts'
import { readClass } from './traffic/classes.ts'
import type { Filter } from './traffic/filter.ts'
import { readFilter } from './traffic/filters.ts'
import type { Qdisc, TrafficClass } from './traffic/qdisc-spec.ts'
import { readQdisc } from './traffic/qdiscs.ts'
import * as wire from './wire/index.ts'

type Happened<Type extends string, Key extends string, What> = {
  readonly type: Type
  /** True when it was removed; otherwise it was added or changed. */
  readonly gone: boolean
} & { readonly [K in Key]: What }

/** Something that was added, changed or removed. */
export type RouteEvent =
  | Happened<'link', 'link', Link>
  | Happened<'address', 'address', Address>
  | Happened<'route', 'route', RouteEntry>
  | Happened<'rule', 'rule', Rule>
  | Happened<'neighbour', 'neighbour', Neighbour>
  | Happened<'fdb', 'entry', FdbEntry>
  | Happened<'qdisc', 'qdisc', Qdisc>
  | Happened<'class', 'class', TrafficClass>
  | Happened<'filter', 'filter', Filter>
  | Happened<'nextHop', 'nextHop', NextHopObject>

const groupNumbers = {
  links: [wire.RTNLGRP_LINK],
  addresses: [wire.RTNLGRP_IPV4_IFADDR, wire.RTNLGRP_IPV6_IFADDR],
  routes: [wire.RTNLGRP_IPV4_ROUTE, wire.RTNLGRP_IPV6_ROUTE],
  rules: [wire.RTNLGRP_IPV4_RULE, wire.RTNLGRP_IPV6_RULE],
  /** Includes the forwarding entries of bridges and vxlans: `fdb` events. */
  neighbours: [wire.RTNLGRP_NEIGH],
  /** Qdiscs, classes and filters. */
  traffic: [wire.RTNLGRP_TC],
  nextHops: [wire.RTNLGRP_NEXTHOP],
} as const
export type EventGroup = keyof typeof groupNumbers

export interface MonitorOptions {
  readonly namespace?: NetNamespace
  /** SO_RCVBUF in bytes. */
  readonly receiveBuffer?: number
}

/**
 * Listens to changes. `{ type: 'lost' }` among the events means that some were lost: list again.
 * `ip monitor`
 */
export function monitor(
  groups: readonly EventGroup[],
  options: MonitorOptions = {},
): Subscription<RouteEvent> {
  take('monitor', groups, ['EventGroups', 'groups'])
  return subscribe('route', {
    ...options,
    decoder: routeDecoder,
    groups: groups.flatMap(group => groupNumbers[group]),
    read: readEvent,
  })
}

type Read = (message: Message, gone: boolean) => RouteEvent | undefined

/** By the RTM_NEW… number of each. The number after it is its RTM_DEL…. */
const readers: Readonly<Record<number, Read>> = {
  [wire.RTM_NEWLINK]: (message, gone) =>
    familyOf(message) === wire.AF_UNSPEC ? { type: 'link', gone, link: readLink(message) } : undefined,
  [wire.RTM_NEWADDR]: (message, gone) => ({ type: 'address', gone, address: readAddress(message) }),
  [wire.RTM_NEWROUTE](message, gone) {
    const route = readRoute(message)
    return route && { type: 'route', gone, route }
  },
  [wire.RTM_NEWRULE](message, gone) {
    const rule = readRule(message)
    return rule && { type: 'rule', gone, rule }
  },
  [wire.RTM_NEWNEIGH]: readNeighbourEvent,
  [wire.RTM_NEWQDISC]: (message, gone) => ({ type: 'qdisc', gone, qdisc: readQdisc(message) }),
  [wire.RTM_NEWTCLASS](message, gone) {
    const found = readClass(message)
    return found && { type: 'class', gone, class: found }
  },
  [wire.RTM_NEWNEXTHOP]: (message, gone) => ({ type: 'nextHop', gone, nextHop: readNextHop(message) }),
  [wire.RTM_NEWTFILTER](message, gone) {
    const filter = readFilter(message)
    return filter && { type: 'filter', gone, filter }
  },
}

/** Bridges report their ports and entries in messages of AF_BRIDGE, whose attributes have other meanings. */
const familyOf = ({ body }: Message) => body.bytes[body.offset]

function readNeighbourEvent(message: Message, gone: boolean): RouteEvent | undefined {
  if (familyOf(message) === wire.AF_BRIDGE) {
    const entry = readFdbEntry(message)
    return entry && { type: 'fdb', gone, entry }
  }
  const neighbour = readNeighbour(message)
  return neighbour && { type: 'neighbour', gone, neighbour }
}

/** RTM_NEW… are multiples of four (linux/rtnetlink.h). */
function readEvent(message: Message): RouteEvent | undefined {
  const [base, verb] = [message.type & ~3, message.type & 3]
  return verb > 1 ? undefined : readers[base]?.(message, verb === 1)
}
