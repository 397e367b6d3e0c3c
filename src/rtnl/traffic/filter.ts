import { addressBytes, parseCidr } from '../../base/index.ts'
import { inRange, NLM_F_CREATE, NLM_F_EXCL, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import { missingAction, missingFilter } from '../missing.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type filterKinds, filterProtocols as protocols } from '../words.ts'
import {
  type Actions,
  actionKinds,
  actionLinks,
  actionsFrom,
  actionsOf,
  type ListedActions,
} from './actions.ts'
import { type FlowerMatch, flowerFrom, flowerKeys } from './flower.ts'
import { type Handle, handleNumber, handleText } from './handle.ts'
import { settingError } from './units.ts'

/** `(packet[offset] & mask) == value`: 32 bits. The offset is in bytes from the IP header, a multiple of 4. */
export interface FilterKey {
  readonly offset: number
  readonly value: number
  readonly mask: number
}

/** The packets that a filter matches, and what it does with them. */
export interface FilterSpec extends Actions {
  readonly link: LinkRef
  /** A qdisc (`1:`), or `ingress` and `egress` of an ingress or clsact qdisc. */
  readonly parent: Handle
  /**
   * `u32` compares bytes, `flower` fields; `matchall` matches everything. `u32` without keys does that too, and
   * more kernels have it. Default: `flower` with `match`, else `u32`.
   */
  readonly kind?: keyof typeof filterKinds
  readonly protocol?: keyof typeof protocols
  /**
   * Filters are evaluated from 1 upwards. By default the kernel counts down from 49152. The two sides of a
   * clsact list each other's u32 filters of the same priority (u32_walk): give them different ones.
   */
  readonly priority?: number
  /** `u32`, `flower`: packets from and to these networks, `192.168.1.0/24`. It sets `protocol`. */
  readonly from?: string
  readonly to?: string
  readonly keys?: readonly FilterKey[]
  /** `flower`: fields of the packet. */
  readonly match?: FlowerMatch
  /** The class of matching packets. */
  readonly classId?: Handle
}

type Details = 'parent' | 'protocol' | 'from' | 'to' | 'keys' | 'match' | 'classId'

/** A filter of an interface. */
export interface Filter extends Pick<FilterSpec, Details>, ListedActions {
  /** Index of the interface. */
  readonly link: number
  readonly kind: string
  /** Its number among the filters of its priority. */
  readonly handle: number
  readonly priority: number
}

/** The filters to remove: all of a priority, or all of the parent. */
export type FilterPlace = Pick<FilterSpec, 'link' | 'parent' | 'priority' | 'protocol'>

/** TC_H_MAKE(priority << 16, htons(protocol)). */
function infoOf(priority: number, protocol: keyof typeof protocols): number {
  const number = protocols[protocol]
  inRange({ op: 'encode filter', field: 'priority', value: priority, least: 0, most: 0xffff })
  return priority * 0x10000 + ((number & 0xff) << 8) + (number >> 8)
}

export function addFilter(spec: FilterSpec): Operation {
  const { link, parent, priority = 0 } = take('add filter', spec, 'FilterSpec')
  const kind = spec.kind ?? (spec.match ? 'flower' : 'u32')
  const info = infoOf(priority, protocolOf(spec))
  const about = {
    type: wire.RTM_NEWTFILTER,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    op: `add ${kind} filter to`,
    target: `${link} ${parent}`,
  }
  const own = optionsOf(kind, spec)
  return {
    refers: [link, ...actionLinks(spec)],
    lacks: [missingFilter(kind), ...actionKinds(spec).map(missingAction)],
    requests(names) {
      const options = { classId: classIdOf(spec), ...actionsOf(spec, names), ...own }
      const value = {
        index: names.indexOf(link),
        parent: handleNumber(parent),
        info,
        attributes: { kind, [kind]: options },
      }
      return [request(wire.trafficMessage, value, about)]
    },
  }
}

function optionsOf(kind: NonNullable<FilterSpec['kind']>, spec: FilterSpec): object {
  if (kind === 'u32') return { selector: selectorOf(keysOf(spec)) }
  return kind === 'flower' ? flowerKeys(spec.match ?? {}, spec, protocols[protocolOf(spec)]) : {}
}

export function removeFilters(place: FilterPlace): Operation {
  const { link, parent, priority = 0, protocol } = take('remove filters', place, 'FilterPlace')
  const info = priority === 0 ? 0 : infoOf(priority, protocol ?? 'all')
  const about = { type: wire.RTM_DELTFILTER, op: 'remove filters from', target: `${link} ${parent}` }
  return {
    refers: [link],
    requests: names => [
      request(wire.trafficMessage, { index: names.indexOf(link), parent: handleNumber(parent), info }, about),
    ],
  }
}

const classIdOf = ({ classId }: FilterSpec) => (classId === undefined ? undefined : handleNumber(classId))

function protocolOf({ protocol, from, to }: FilterSpec): keyof typeof protocols {
  const network = from ?? to
  return protocol ?? (network === undefined ? 'all' : network.includes(':') ? 'ipv6' : 'ip')
}

/** The addresses are at 12 and 16 in struct iphdr, at 8 and 24 in struct ipv6hdr. */
function keysOf({ from, to, keys = [] }: FilterSpec): wire.U32Key[] {
  const found = keys.map(({ value, mask, offset }) => ({ mask, value, offset, offsetMask: 0 }))
  if (from !== undefined) found.push(...networkKeys(from, { 4: 12, 16: 8 }))
  if (to !== undefined) found.push(...networkKeys(to, { 4: 16, 16: 24 }))
  if (found.length > 128) throw settingError('filter', 'a u32 filter can have at most 128 keys')
  return found.length > 0 ? found : [{ mask: 0, value: 0, offset: 0, offsetMask: 0 }]
}

function networkKeys(cidr: string, offsets: { 4: number; 16: number }): wire.U32Key[] {
  const { address, prefix } = parseCidr(cidr)
  const bytes = addressBytes(address)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: Math.ceil(prefix / 32) }, (_, word) => {
    const bits = Math.min(32, prefix - word * 32)
    const mask = bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits) >>> 0
    const value = (view.getUint32(word * 4) & mask) >>> 0
    return { mask, value, offset: offsets[bytes.length as 4 | 16] + word * 4, offsetMask: 0 }
  })
}

function selectorOf(keys: wire.U32Key[]): wire.U32Selector {
  const hash = { offsetShift: 0, offsetMask: 0, offset: 0, offsetOffset: 0, hashOffset: 0, hashMask: 0 }
  return { flags: wire.TC_U32_TERMINAL, ...hash, keys }
}

/** Undefined for entries that only contain filters: u32's hash tables, a priority itself. */
export function filterOf({
  index,
  handle,
  parent,
  info,
  attributes,
}: wire.TrafficMessage): Filter | undefined {
  const { kind, u32, matchall, flower } = attributes
  const options = u32 ?? flower ?? matchall
  if (kind === undefined || handle === 0 || (kind === 'u32' && u32?.selector === undefined)) return undefined
  const number = ((info & 0xff) << 8) + ((info >> 8) & 0xff)
  const [protocol] = Object.entries(protocols).find(([, known]) => known === number) ?? []
  return {
    link: index,
    parent: handleText(parent),
    kind,
    handle,
    priority: info >>> 16,
    ...given({
      protocol: protocol as keyof typeof protocols | undefined,
      classId: options?.classId === undefined ? undefined : handleText(options.classId),
      keys: u32?.selector?.keys.map(({ mask, value, offset }) => ({ mask, value, offset })),
    }),
    ...(flower && flowerFrom(flower)),
    ...actionsFrom(options?.actions),
  }
}
