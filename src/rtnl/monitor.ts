import { type Message, type NetNamespace, type Subscription, subscribe } from '../netlink/index.ts'
import type { Address } from './address.ts'
import { readAddress } from './addresses.ts'
import type { Link } from './link.ts'
import { readLink } from './links.ts'
import type { RouteEntry } from './route-spec.ts'
import { readRoute } from './routes.ts'
import * as wire from './wire/index.ts'

/** Something that came, changed or went. */
export type RouteEvent =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: Link }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: Address }
  | { readonly kind: 'route'; readonly gone: boolean; readonly route: RouteEntry }

const groupNumbers = {
  links: [wire.RTNLGRP_LINK],
  addresses: [wire.RTNLGRP_IPV4_IFADDR, wire.RTNLGRP_IPV6_IFADDR],
  routes: [wire.RTNLGRP_IPV4_ROUTE, wire.RTNLGRP_IPV6_ROUTE],
} as const
export type EventGroup = keyof typeof groupNumbers

export interface MonitorOptions {
  readonly namespace?: NetNamespace
  /** SO_RCVBUF in bytes. */
  readonly receiveBuffer?: number
}

/** Listens to what happens; `{ kind: 'overrun' }` among the events means: list anew. `ip monitor` */
export function monitor(
  groups: readonly EventGroup[],
  options: MonitorOptions = {},
): Subscription<RouteEvent> {
  return subscribe('route', {
    ...options,
    groups: groups.flatMap(group => groupNumbers[group]),
    read: readEvent,
  })
}

/** Bridges tell of their ports in messages of AF_BRIDGE, whose attributes mean something else. */
function readEvent(message: Message): RouteEvent | undefined {
  const { type, body } = message
  if (type === wire.RTM_NEWLINK || type === wire.RTM_DELLINK) {
    if (body.bytes[body.offset] !== wire.AF_UNSPEC) return undefined
    return { kind: 'link', gone: type === wire.RTM_DELLINK, link: readLink(message) }
  }
  if (type === wire.RTM_NEWADDR || type === wire.RTM_DELADDR)
    return { kind: 'address', gone: type === wire.RTM_DELADDR, address: readAddress(message) }
  if (type !== wire.RTM_NEWROUTE && type !== wire.RTM_DELROUTE) return undefined
  const route = readRoute(message)
  return route && { kind: 'route', gone: type === wire.RTM_DELROUTE, route }
}
