import { addressText, macText } from '../base/index.ts'
import type { Body, Message, MessageDecoder } from '../netlink/index.ts'
import { handleText } from './traffic/handle.ts'
import * as wire from './wire/index.ts'

const names = new Map(
  Object.entries(wire).flatMap(([name, value]) =>
    /^RTM_(NEW|DEL|GET|SET)/.test(name) ? [[value as number, name] as const] : [],
  ),
)

/** By the RTM_NEW… of each: the other verbs are the three numbers after it (linux/rtnetlink.h). */
const bodies = new Map<number, Body<unknown, never>>([
  [wire.RTM_NEWLINK, wire.linkMessage],
  [wire.RTM_NEWLINKPROP, wire.linkMessage],
  [wire.RTM_NEWADDR, wire.addressMessage],
  [wire.RTM_NEWROUTE, wire.routeMessage],
  [wire.RTM_NEWNEIGH, wire.neighbourMessage],
  [wire.RTM_NEWRULE, wire.ruleMessage],
  [wire.RTM_NEWQDISC, wire.trafficMessage],
  [wire.RTM_NEWTCLASS, wire.trafficMessage],
  [wire.RTM_NEWTFILTER, wire.trafficMessage],
  [wire.RTM_NEWNEXTHOP, wire.nextHopMessage],
  [wire.RTM_NEWNEXTHOPBUCKET, wire.nextHopMessage],
  [wire.RTM_NEWNSID, wire.namespaceMessage],
])

/** What traces know of rtnetlink: names, attributes by our codecs, addresses as text. */
export const routeDecoder: MessageDecoder = {
  area: 'netlink',
  family: 'route',
  nameOf: type => names.get(type),
  read(message) {
    const body = bodyOf(message)
    return body ? readable(body.read(message.body)) : message.body.take(message.body.left)
  },
}

/** A bridge's ports have attributes of their own. */
function bodyOf({ type, body }: Message): Body<unknown, never> | undefined {
  const ofPort = (type & ~3) === wire.RTM_NEWLINK && body.bytes[body.offset] === wire.AF_BRIDGE
  return ofPort ? wire.portMessage : bodies.get(type & ~3)
}

const families: Readonly<Record<number, string>> = {
  [wire.AF_UNSPEC]: 'AF_UNSPEC',
  [wire.AF_INET]: 'AF_INET',
  [wire.AF_BRIDGE]: 'AF_BRIDGE',
  [wire.AF_INET6]: 'AF_INET6',
}

/** Fields that say nothing. */
const empty = new Set(['pad', 'pad2', 'reserved1', 'reserved2'])

type Show = (value: unknown) => unknown

/** Fields that people read otherwise than the wire has them. */
const shows: Readonly<Record<string, Show>> = {
  family: value => families[value as number] ?? value,
  handle: value => (typeof value === 'number' ? handleText(value) : readable(value)),
  parent: value => (typeof value === 'number' ? handleText(value) : readable(value)),
  statistics: counted,
  ...Object.fromEntries(
    ['mac', 'broadcast', 'address', 'local', 'destination', 'source', 'gateway', 'preferredSource', 'anycast']
      .concat(['group', 'group6', 'local6'])
      .map(name => [name, addressOf]),
  ),
}

/** struct ifinfomsg. */
const linkShows: Readonly<Record<string, Show>> = { flags: linkFlags, change: linkFlags }

/** IFF_* (linux/if.h), in the order of `ip link`. */
const linkFlagNames: Readonly<Record<string, number>> = {
  LOOPBACK: 0x8,
  BROADCAST: 0x2,
  POINTOPOINT: 0x10,
  MULTICAST: 0x1000,
  NOARP: 0x80,
  ALLMULTI: 0x200,
  PROMISC: 0x100,
  UP: wire.IFF_UP,
  RUNNING: 0x40,
  LOWER_UP: wire.IFF_LOWER_UP,
}

function linkFlags(value: unknown): unknown {
  if (value === 0xffffffff) return 'all'
  let left = value as number
  const names = Object.entries(linkFlagNames).flatMap(([name, bit]) => {
    if (!(left & bit)) return []
    left &= ~bit
    return [name]
  })
  return [...names, ...(left === 0 ? [] : [`0x${(left >>> 0).toString(16)}`])].join('|')
}

function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const isMessage = 'attributes' in value
  const ofLink = isMessage && 'change' in value
  const entries = Object.entries(value).flatMap(([name, field]) => {
    if (empty.has(name) || (isMessage && field === 0)) return [] // as it may be left out when it is written
    const show = (ofLink ? linkShows[name] : undefined) ?? shows[name] ?? readable
    const shown = show(field)
    return isEmpty(shown) ? [] : [[name, shown]]
  })
  return Object.fromEntries(entries)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true
  return value?.constructor === Object && Object.keys(value).length === 0
}

/** Six bytes are an Ethernet address, four or sixteen an IP address; of other hardware anything. */
function addressOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return readable(value)
  if (value.length === 6) return macText(value)
  return value.length === 4 || value.length === 16 ? addressText(value) : value
}

/** Most of a link's counters are 0. */
function counted(value: unknown): unknown {
  const counters = Object.entries(readable(value) as object).filter(([, count]) => count !== 0)
  return Object.fromEntries(counters)
}
