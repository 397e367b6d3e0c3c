import { addressBytes, addressText } from '../../base/index.ts'
import { inRange, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import type { Operation } from '../operation.ts'
import { encapAttributes, encapFrom } from '../route/encap.ts'
import { flagsOf } from '../route/entry.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import type { NextHopBucket, NextHopObject, NextHopObjectSpec, NextHopShare, Resilience } from './spec.ts'

const verbs = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE } as const

export function setNextHop(spec: NextHopObjectSpec, verb: keyof typeof verbs): Operation {
  take(`${verb} nexthop`, spec, 'NextHopObjectSpec')
  const { id, dev, group, protocol = 0 } = spec
  const about = { type: wire.RTM_NEWNEXTHOP, flags: verbs[verb], op: `${verb} nexthop` }
  const gateway = spec.via === undefined ? undefined : addressBytes(spec.via)
  const fixed = {
    id,
    gateway,
    ...encapAttributes(spec.encap),
    group: group?.map(memberOf),
    groupType: spec.resilient ? wire.NEXTHOP_GRP_TYPE_RES : undefined,
    resilient: spec.resilient && resilientOf(spec.resilient),
    blackhole: spec.blackhole ? (true as const) : undefined,
    fdb: spec.fdb ? (true as const) : undefined,
  }
  return {
    refers: dev === undefined ? [] : [dev],
    requests(names) {
      const value: wire.NextHopToWrite = {
        family: familyOf(spec, gateway),
        protocol,
        flags: spec.onlink ? wire.RTNH_F_ONLINK : 0,
        attributes: { ...fixed, outIndex: dev === undefined ? undefined : names.indexOf(dev) },
      }
      return [request(wire.nextHopMessage, value, { ...about, target: id === undefined ? '' : `${id}` })]
    },
  }
}

export function removeNextHop(id: number): Operation {
  take('remove nexthop', id, ['number', 'id'])
  const about = { type: wire.RTM_DELNEXTHOP, op: 'remove nexthop', target: `${id}` }
  return { refers: [], requests: () => [request(wire.nextHopMessage, { attributes: { id } }, about)] }
}

/** A group has no family. Without a gateway it is IPv4, as `ip nexthop` has it. */
function familyOf({ group, family }: NextHopObjectSpec, gateway: Uint8Array | undefined): number {
  if (group !== undefined) return wire.AF_UNSPEC
  return gateway?.length === 16 || (gateway === undefined && family === 6) ? wire.AF_INET6 : wire.AF_INET
}

function memberOf({ id, weight = 1 }: NextHopShare): wire.NextHopMember {
  const less =
    inRange({ op: 'encode nexthop group', field: 'weight', value: weight, least: 1, most: 0x10000 }) - 1
  return { id, weightLow: less & 0xff, weightHigh: less >> 8, reserved: 0 }
}

/** The kernel counts in USER_HZ. */
const ticks = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(seconds * 100))

function resilientOf({ buckets, idleTimer, unbalancedTimer }: Resilience) {
  return { buckets, idleTimer: ticks(idleTimer), unbalancedTimer: ticks(unbalancedTimer) }
}

/** Converts the kernel's message. */
export function nextHopOf({
  family,
  scope,
  protocol,
  flags,
  attributes,
}: wire.NextHopMessage): NextHopObject {
  const { id = 0, gateway, outIndex, group, resilient, blackhole, fdb, ...rest } = attributes
  const known = family === wire.AF_INET ? 4 : family === wire.AF_INET6 ? 6 : undefined
  return {
    id,
    protocol,
    scope,
    flags: flagsOf(flags),
    ...given({
      family: known as 4 | 6 | undefined,
      via: gateway && addressText(gateway),
      dev: outIndex,
      onlink: flags & wire.RTNH_F_ONLINK ? true : undefined,
      group: group?.map(one => ({ id: one.id, weight: (one.weightHigh << 8) + one.weightLow + 1 })),
      resilient: resilient && resilienceOf(resilient),
      blackhole,
      fdb,
      encap: encapFrom(rest),
    }),
  }
}

function resilienceOf(found: NonNullable<wire.NextHopMessage['attributes']['resilient']>) {
  const { buckets = 0, idleTimer = 0, unbalancedTimer = 0, unbalancedTime = 0 } = found
  return {
    buckets,
    idleTimer: idleTimer / 100,
    unbalancedTimer: unbalancedTimer / 100,
    unbalancedTime: unbalancedTime / 100,
  }
}

/** Undefined for a message without a bucket. */
export function bucketOf({ flags, attributes }: wire.NextHopMessage): NextHopBucket | undefined {
  const { id = 0, bucket } = attributes
  if (bucket === undefined) return undefined
  const { index = 0, nextHopId = 0, idleTime = 0 } = bucket
  return { id, index, nextHopId, idleTime: idleTime / 100, flags: flagsOf(flags) }
}
