import { addressBytes, addressText, macBytes, macText, parseCidr } from '../../base/index.ts'
import { inRange } from '../../netlink/index.ts'
import { given, picked } from '../link/given.ts'
import type * as wire from '../wire/index.ts'
import { settingError } from './units.ts'

/** Fields of a packet that `flower` compares, beside `from` and `to` of the filter. */
export interface FlowerMatch {
  readonly sourceMac?: string
  readonly destinationMac?: string
  /** IP protocol by number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6. Needed for ports, flags and ICMP. */
  readonly ipProtocol?: number
  /** Of TCP or UDP. */
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly tcpFlags?: number
  readonly tcpFlagsMask?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  readonly tos?: number
  readonly ttl?: number
  /** VLAN id and priority of a tagged frame (`protocol: '802.1Q'`), and what is behind the tag. */
  readonly vlan?: number
  readonly vlanPriority?: number
  readonly vlanEtherType?: number
  /** The interface that the packet came in by. */
  readonly inDev?: string
  /** The tunnel that it came out of: a link with `external`. */
  readonly tunnel?: FlowerTunnel
}

/** What an interface with `external` (vxlan, geneve, gre …) notes of the packet around. */
export interface FlowerTunnel {
  /** The network identifier or key. */
  readonly id?: number
  /** Networks: `192.168.2.0/24`. */
  readonly from?: string
  readonly to?: string
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly tos?: number
  readonly ttl?: number
}

interface Networks {
  readonly from?: string
  readonly to?: string
}

const allBytes = (length: number) => new Uint8Array(length).fill(0xff)

function maskOf(length: number, prefix: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (0xff00 >> Math.max(0, Math.min(8, prefix - at * 8))) & 0xff)
}

type End = 'source' | 'destination' | 'tunnelSource' | 'tunnelDestination'

function networkKeys(cidr: string | undefined, end: End): wire.FlowerOptions {
  if (cidr === undefined) return {}
  const { address, prefix } = parseCidr(cidr)
  const bytes = addressBytes(address)
  const version = bytes.length === 4 ? 4 : 6
  return { [`${end}${version}`]: bytes, [`${end}${version}Mask`]: maskOf(bytes.length, prefix) }
}

const macKeys = (mac: string | undefined, end: 'sourceMac' | 'destinationMac'): wire.FlowerOptions =>
  mac === undefined ? {} : { [end]: macBytes(mac), [`${end}Mask`]: allBytes(6) }

/** Ports, flags and ICMP have keys of their own for each protocol. */
function transportKeys(match: FlowerMatch): wire.FlowerOptions {
  const {
    ipProtocol,
    sourcePort,
    destinationPort,
    tcpFlags,
    tcpFlagsMask = 0xfff,
    icmpType,
    icmpCode,
  } = match
  const ports = sourcePort !== undefined || destinationPort !== undefined
  if (ports && ipProtocol !== 6 && ipProtocol !== 17)
    throw settingError('flower', 'ports need ipProtocol 6 (TCP) or 17 (UDP)')
  const [transport, icmp] = [ipProtocol === 6 ? 'tcp' : 'udp', ipProtocol === 58 ? 'icmp6' : 'icmp4']
  return {
    ...(sourcePort !== undefined && { [`${transport}Source`]: sourcePort }),
    ...(destinationPort !== undefined && { [`${transport}Destination`]: destinationPort }),
    ...(tcpFlags !== undefined && { tcpFlags, tcpFlagsMask }),
    ...(icmpType !== undefined && { [`${icmp}Type`]: icmpType, [`${icmp}TypeMask`]: 0xff }),
    ...(icmpCode !== undefined && { [`${icmp}Code`]: icmpCode, [`${icmp}CodeMask`]: 0xff }),
  }
}

/** As tc writes them: the identifier and the ports are compared whole. */
function tunnelKeys(tunnel: FlowerTunnel | undefined): wire.FlowerOptions {
  if (tunnel === undefined) return {}
  const { id, from, to, sourcePort, destinationPort, tos, ttl } = tunnel
  return {
    ...(id !== undefined && { tunnelId: id }),
    ...networkKeys(from, 'tunnelSource'),
    ...networkKeys(to, 'tunnelDestination'),
    ...(sourcePort !== undefined && { tunnelSourcePort: sourcePort }),
    ...(destinationPort !== undefined && { tunnelDestinationPort: destinationPort }),
    ...(tos !== undefined && { tunnelTos: tos, tunnelTosMask: 0xff }),
    ...(ttl !== undefined && { tunnelTtl: ttl, tunnelTtlMask: 0xff }),
  }
}

function tunnelFrom(options: wire.FlowerOptions): FlowerTunnel | undefined {
  const tunnel: FlowerTunnel = given({
    id: options.tunnelId,
    from: networkFrom(options, 'tunnelSource'),
    to: networkFrom(options, 'tunnelDestination'),
    sourcePort: options.tunnelSourcePort,
    destinationPort: options.tunnelDestinationPort,
    tos: options.tunnelTos,
    ttl: options.tunnelTtl,
  })
  return Object.keys(tunnel).length > 0 ? tunnel : undefined
}

/** ETH_P_ALL: no key. */
const every = 0x0003

const same = ['ipProtocol', 'vlan', 'vlanPriority', 'vlanEtherType'] as const

export function flowerKeys(
  match: FlowerMatch,
  { from, to }: Networks,
  etherType: number,
): wire.FlowerOptions {
  const { tos, ttl, inDev, vlan } = match
  if (vlan !== undefined) inRange({ op: 'encode filter', field: 'vlan', value: vlan, least: 0, most: 4095 })
  return {
    inName: inDev,
    ...macKeys(match.destinationMac, 'destinationMac'),
    ...macKeys(match.sourceMac, 'sourceMac'),
    ...picked(match, same),
    ...networkKeys(from, 'source'),
    ...networkKeys(to, 'destination'),
    ...transportKeys(match),
    ...(tos !== undefined && { tos, tosMask: 0xff }),
    ...(ttl !== undefined && { ttl, ttlMask: 0xff }),
    ...tunnelKeys(match.tunnel),
    flags: 0,
    etherType: etherType === every ? undefined : etherType,
  }
}

function networkFrom(options: wire.FlowerOptions, end: End): string | undefined {
  const version = options[`${end}4`] ? 4 : 6
  const [address, mask] = [options[`${end}${version}`], options[`${end}${version}Mask`]]
  if (!address || !mask) return undefined
  const prefix = mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return `${addressText(address)}/${prefix}`
}

/** The match of a listed filter, and its networks. */
export function flowerFrom(options: wire.FlowerOptions): Networks & { match: FlowerMatch } {
  const { sourceMac, destinationMac, tcpFlags, tcpFlagsMask, tos, ttl, inName } = options
  const match: FlowerMatch = given({
    ...picked(options, same),
    sourceMac: sourceMac && macText(sourceMac),
    destinationMac: destinationMac && macText(destinationMac),
    sourcePort: options.tcpSource ?? options.udpSource,
    destinationPort: options.tcpDestination ?? options.udpDestination,
    tcpFlags,
    tcpFlagsMask: tcpFlagsMask === 0xfff ? undefined : tcpFlagsMask,
    icmpType: options.icmp4Type ?? options.icmp6Type,
    icmpCode: options.icmp4Code ?? options.icmp6Code,
    tos,
    ttl,
    inDev: inName,
    tunnel: tunnelFrom(options),
  })
  return {
    match,
    ...given({ from: networkFrom(options, 'source'), to: networkFrom(options, 'destination') }),
  }
}
