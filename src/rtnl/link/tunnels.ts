import { addressBytes, addressText } from '../../base/index.ts'
import type { LinkRef, Names } from '../operation.ts'
import * as wire from '../wire/index.ts'
import { given, picked } from './given.ts'

/** Kinds of links that put packets or frames into other IP packets. */
export const tunnelKinds = [
  ...(['gre', 'gretap', 'ip6gre', 'ip6gretap', 'ipip', 'sit', 'ip6tnl', 'vti', 'vti6'] as const),
]
export type TunnelKind = (typeof tunnelKinds)[number]

export const isTunnel = (kind: string): kind is TunnelKind =>
  (tunnelKinds as readonly string[]).includes(kind)

/** `ip link … type gre|gretap|ip6gre|ip6gretap|ipip|sit|ip6tnl|vti|vti6 …`. Each kind has some of these. */
export interface TunnelSettings {
  /** The other end, and the source address of the tunnel's packets. */
  readonly remote?: string
  readonly local?: string
  /** The interface under the tunnel. */
  readonly dev?: LinkRef
  /** TTL or hop limit of the tunnel's packets. 0: that of the packet inside. */
  readonly ttl?: number
  readonly tos?: number
  /** IPv4: the tunnel's packets must not be fragmented. Default: true. */
  readonly pathMtuDiscovery?: boolean
  /** gre: packets are sent even when they are larger than the path's MTU. */
  readonly ignoreDf?: boolean
  /** gre, vti: what tells tunnels between the same addresses apart, of incoming and outgoing packets. */
  readonly inputKey?: number
  readonly outputKey?: number
  /** gre: incoming packets must have a checksum, or a sequence number; outgoing ones get them. */
  readonly inputChecksum?: boolean
  readonly outputChecksum?: boolean
  readonly inputSequence?: boolean
  readonly outputSequence?: boolean
  /** IPv6: how deep tunnels may be nested in it (RFC 2473). */
  readonly encapLimit?: number
  /** IPv6: traffic class and flow label. */
  readonly flowInfo?: number
  /** IP6_TNL_F_* of ip6tnl and ip6gre; 1 is ISATAP for sit. */
  readonly flags?: number
  /** ipip, sit, ip6tnl: the protocol inside (4 IPv4, 41 IPv6, 0 any). */
  readonly protocol?: number
  /** Each packet brings its own addresses (`encap` of a route, tc, eBPF). */
  readonly external?: true
  /** The firewall mark of the tunnel's packets. */
  readonly mark?: number
  /** A UDP header around the packets: 0 none, 1 foo-over-udp, 2 generic UDP encapsulation. */
  readonly udpType?: number
  readonly udpFlags?: number
  readonly udpSourcePort?: number
  readonly udpDestinationPort?: number
  /** Mirrored frames (ERSPAN): version 1 has an index, version 2 a direction and a hardware id. */
  readonly erspanVersion?: number
  readonly erspanIndex?: number
  readonly erspanDirection?: number
  readonly erspanHardwareId?: number
}

/** VXLAN_DF_*, GENEVE_DF_*, in order. */
export const fragmenting = ['unset', 'set', 'inherit'] as const

/** `ip link … type geneve …` (RFC 8926). */
export interface GeneveSettings {
  /** The virtual network identifier, 24 bits. */
  readonly vni?: number
  readonly remote?: string
  readonly ttl?: number
  readonly tos?: number
  /** UDP destination port. Default: 6081. */
  readonly port?: number
  readonly external?: true
  readonly udpChecksum?: boolean
  readonly udpZeroChecksum6Tx?: boolean
  readonly udpZeroChecksum6Rx?: boolean
  readonly label?: number
  readonly ttlInherit?: boolean
  readonly dontFragment?: (typeof fragmenting)[number]
  /** IP packets inside, without an Ethernet header (Linux 5.18). */
  readonly innerProtocolInherit?: true
}

/** The fields that the wire has as they are. */
const same = [
  ...([
    'ttl',
    'tos',
    'pathMtuDiscovery',
    'ignoreDf',
    'inputKey',
    'outputKey',
    'encapLimit',
    'flowInfo',
  ] as const),
  ...(['flags', 'protocol', 'external', 'mark', 'udpType', 'udpFlags', 'udpSourcePort'] as const),
  ...(['udpDestinationPort', 'erspanIndex', 'erspanVersion', 'erspanDirection', 'erspanHardwareId'] as const),
]

export function tunnelAttributes(
  settings: TunnelSettings,
  kind: string,
  names: Names,
): wire.TunnelAttributes {
  const { remote, local, dev } = settings
  return {
    ...picked(settings, same),
    ...(kind.includes('gre') && greFlags(settings)),
    local: local === undefined ? undefined : addressBytes(local),
    remote: remote === undefined ? undefined : addressBytes(remote),
    link: dev === undefined ? undefined : names.indexOf(dev),
  }
}

function greFlags(settings: TunnelSettings): wire.TunnelAttributes {
  const { inputKey, outputKey, inputChecksum, outputChecksum, inputSequence, outputSequence } = settings
  const bits = (key?: number, checksum?: boolean, sequence?: boolean) => {
    if (key === undefined && checksum === undefined && sequence === undefined) return undefined
    return (
      (key === undefined ? 0 : wire.GRE_KEY) | (checksum ? wire.GRE_CSUM : 0) | (sequence ? wire.GRE_SEQ : 0)
    )
  }
  return {
    inputFlags: bits(inputKey, inputChecksum, inputSequence),
    outputFlags: bits(outputKey, outputChecksum, outputSequence),
  }
}

export function tunnelSettings(attributes: wire.TunnelAttributes): TunnelSettings {
  const { local, remote, link, inputFlags = 0, outputFlags = 0, inputKey, outputKey } = attributes
  const isGre = attributes.inputFlags !== undefined
  const has = (flags: number, bit: number) => (flags & bit ? true : undefined)
  return given({
    ...picked(attributes, same),
    local: addressOf(local),
    remote: addressOf(remote),
    dev: link || undefined,
    inputKey: isGre && !(inputFlags & wire.GRE_KEY) ? undefined : inputKey,
    outputKey: isGre && !(outputFlags & wire.GRE_KEY) ? undefined : outputKey,
    inputChecksum: has(inputFlags, wire.GRE_CSUM),
    outputChecksum: has(outputFlags, wire.GRE_CSUM),
    inputSequence: has(inputFlags, wire.GRE_SEQ),
    outputSequence: has(outputFlags, wire.GRE_SEQ),
  })
}

/** Addresses of zeros stand for any. */
const addressOf = (bytes: Uint8Array | undefined) =>
  bytes?.some(byte => byte !== 0) ? addressText(bytes) : undefined

export function geneveAttributes({
  remote,
  dontFragment,
  ...settings
}: GeneveSettings): wire.GeneveAttributes {
  const there = remote === undefined ? undefined : addressBytes(remote)
  return {
    ...settings,
    [there?.length === 16 ? 'remote6' : 'remote']: there,
    dontFragment: dontFragment === undefined ? undefined : fragmenting.indexOf(dontFragment),
  }
}

export function geneveSettings(attributes: wire.GeneveAttributes): GeneveSettings {
  const { remote, remote6, dontFragment, label, unknown: _, ...settings } = attributes
  return given({
    ...settings,
    label: label || undefined,
    remote: addressOf(remote ?? remote6),
    dontFragment: fragmenting[dontFragment ?? 0],
  })
}
