import { addressBytes, addressText } from '../../base/index.ts'
import { DecodeError, decoded, EncodeError, encoded, inRange, NetlinkError } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import * as wire from '../wire/index.ts'

/** The header that a route puts in front of packets: light-weight tunnels, `ip route add … encap …`. */
export type Encap = MplsEncap | IpEncap | SegmentEncap | RawEncap

/** `encap mpls 100/200 [ttl <n>]` */
export interface MplsEncap {
  readonly type: 'mpls'
  /** From the outer to the inner. */
  readonly labels: readonly number[]
  readonly ttl?: number
}

/** For a tunnel interface with `external`. `encap ip id <id> dst <to> [src <from>] [ttl <n>] [tos <n>]` */
export interface IpEncap {
  readonly type: 'ip' | 'ip6'
  /** The tunnel's key or network identifier; a bigint above 2^53. */
  readonly id?: number | bigint
  readonly to?: string
  readonly from?: string
  readonly ttl?: number
  readonly tos?: number
  /** TUNNEL_* bits: 1 checksum, 4 key, 8 sequence numbers. */
  readonly flags?: number
  /** LWTUNNEL_IP_OPTS, as bytes. */
  readonly options?: Uint8Array
}

export const segmentModes = ['inline', 'encap', 'l2encap', 'encap.red', 'l2encap.red'] as const

/** Segment routing over IPv6. `encap seg6 mode <mode> segs <segments>` */
export interface SegmentEncap {
  readonly type: 'seg6'
  readonly mode: (typeof segmentModes)[number]
  /** In the order in which packets visit them. */
  readonly segments: readonly string[]
}

/** Any other: LWTUNNEL_ENCAP_* and its attributes, as bytes. */
export interface RawEncap {
  readonly type: number
  readonly bytes: Uint8Array
}

/** LWTUNNEL_ENCAP_* (linux/lwtunnel.h). */
const numbers = { mpls: 1, ip: 2, ip6: 4, seg6: 5 } as const

interface EncapAttributes {
  readonly encap?: Uint8Array | undefined
  readonly encapType?: number | undefined
}

/** RTA_ENCAP and RTA_ENCAP_TYPE. */
export function encapAttributes(encap: Encap | undefined): EncapAttributes {
  if (encap === undefined) return {}
  if (typeof encap.type === 'number') return { encap: (encap as RawEncap).bytes, encapType: encap.type }
  const known = encap as Exclude<Encap, RawEncap>
  try {
    return { encap: bytesOf(known), encapType: numbers[known.type] }
  } catch (failure) {
    if (!(failure instanceof EncodeError)) throw failure
    throw encapError(failure.place, failure.reason, failure)
  }
}

function encapError(place: string, reason: string, cause?: unknown): NetlinkError {
  const about = {
    code: 'NETLINK_ENCODE',
    kind: 'usage',
    op: 'encode route',
    attribute: `encap.${place}`,
  } as const
  return new NetlinkError({
    ...about,
    reason: `encap.${place}: ${reason}`,
    ...(cause !== undefined && { cause }),
  })
}

function bytesOf(encap: Exclude<Encap, RawEncap>): Uint8Array {
  if (encap.type === 'seg6') return encoded(wire.seg6Encap, { header: headerOf(encap) })
  if (encap.type === 'mpls') {
    for (const label of encap.labels) checkLabel(label)
    return encoded(wire.mplsEncap, { labels: [...encap.labels], ttl: encap.ttl })
  }
  const { type: _, id, to, from, ...same } = encap
  return encoded(wire.ipEncap, {
    id: typeof id === 'number' && Number.isInteger(id) ? BigInt(id) : (id as bigint | undefined),
    to: to === undefined ? undefined : addressBytes(to),
    from: from === undefined ? undefined : addressBytes(from),
    ...same,
  })
}

function checkLabel(label: number): void {
  inRange({ op: 'encode route', field: 'encap.labels', value: label, least: 0, most: (1 << 20) - 1 })
}

/** The header has the last segment first. Inline, the packet's own destination takes that place. */
function headerOf({ mode, segments }: SegmentEncap) {
  const all = mode === 'inline' ? [...segments, '::'] : segments
  const last = all.length - 1
  return {
    mode: segmentModes.indexOf(mode),
    nextHeader: 0,
    length: all.length * 2,
    type: 4, // RFC 8754: segment routing header
    left: last,
    last,
    flags: 0,
    tag: 0,
    segments: Buffer.concat(all.map(addressBytes).reverse()),
  }
}

/** The encapsulation of a listed route or next hop. What is not understood is kept as bytes. */
export function encapFrom({ encap, encapType }: EncapAttributes): Encap | undefined {
  if (encap === undefined || encapType === undefined) return undefined
  try {
    return knownEncap(encap, encapType) ?? { type: encapType, bytes: encap }
  } catch (malformed) {
    if (!(malformed instanceof DecodeError)) throw malformed
    return { type: encapType, bytes: encap }
  }
}

function knownEncap(bytes: Uint8Array, type: number): Encap | undefined {
  if (type === numbers.mpls) {
    const { labels = [], ttl } = decoded(wire.mplsEncap, bytes)
    return { type: 'mpls', labels, ...given({ ttl }) }
  }
  if (type === numbers.seg6) return segmentsOf(bytes)
  if (type !== numbers.ip && type !== numbers.ip6) return undefined
  const { id, to, from, unknown: _, ...same } = decoded(wire.ipEncap, bytes)
  return {
    type: type === numbers.ip ? 'ip' : 'ip6',
    ...given({
      id: id === undefined || id > Number.MAX_SAFE_INTEGER ? id : Number(id),
      to: to && addressText(to),
      from: from && addressText(from),
      ...same,
    }),
  }
}

/** Undefined for a header with TLVs or flags (HMAC). */
function segmentsOf(bytes: Uint8Array): SegmentEncap | undefined {
  const { header } = decoded(wire.seg6Encap, bytes)
  const mode = segmentModes[header?.mode ?? -1]
  if (!header || mode === undefined || header.flags !== 0 || header.tag !== 0) return undefined
  if (header.segments.length !== (header.last + 1) * 16) return undefined
  const segments = Array.from({ length: header.last + 1 }, (_, at) =>
    addressText(header.segments.subarray(at * 16, at * 16 + 16)),
  ).reverse()
  return { type: 'seg6', mode, segments: mode === 'inline' ? segments.slice(0, -1) : segments }
}
