import { addressText, macText } from '../../base/index.ts'
import { type Layers, layersOf, protocols, u16, u32 } from './layers.ts'
import {
  type ArpFields,
  type Headers,
  type IcmpFields,
  type IpFields,
  type TcpFields,
  tcpFlags,
  type UdpFields,
} from './packet.ts'

/**
 * The headers of an Ethernet frame: VLAN tags, ARP, IPv4, IPv6, TCP, UDP, ICMP, ICMPv6. Undefined when it is shorter than
 * an Ethernet header. Equivalent: the fields of `tshark -T json`.
 */
export function decodeFrame(bytes: Uint8Array): Headers | undefined {
  const layers = layersOf(bytes)
  if (!layers) return undefined
  const { etherType, vlans, network } = layers
  const ethernet = {
    source: macText(bytes.subarray(6, 12)),
    destination: macText(bytes.subarray(0, 6)),
    etherType,
  }
  const { length, ...fields } = network < 0 ? noFields(vlans.length) : networkFields(bytes, layers)
  return { ethernet, vlans, ...fields, payload: bytes.subarray(length, layers.end) }
}

/** Fields, and where the header that has them ends. */
type Decoded = Omit<Headers, 'ethernet' | 'vlans' | 'payload'> & { readonly length: number }

const noFields = (tags: number): Decoded => ({ length: 14 + 4 * tags })

function networkFields(bytes: Uint8Array, layers: Layers): Decoded {
  if (layers.protocol < 0) return { arp: arpOf(bytes, layers), length: layers.end }
  const ip = ipOf(bytes, layers)
  const { transport, protocol, network, end } = layers
  if (transport < 0) return { ip, length: Math.min(end, network + (ip.version === 4 ? 20 : 40)) }
  const room = end - transport
  if (protocol === protocols.tcp && room >= 20) {
    const header = (bytes[transport + 12]! >> 4) * 4
    return { ip, tcp: tcpOf(bytes, transport), length: Math.min(end, transport + Math.max(20, header)) }
  }
  if (protocol === protocols.udp && room >= 8)
    return { ip, udp: portsOf(bytes, transport), length: transport + 8 }
  if (protocol === protocols.icmp && ip.version === 4 && room >= 4)
    return { ip, icmp: icmpOf(bytes, layers), length: Math.min(end, transport + 8) }
  if (protocol === protocols.icmp6 && ip.version === 6 && room >= 4)
    return { ip, icmp6: icmpOf(bytes, layers), length: Math.min(end, transport + 8) }
  return { ip, length: transport }
}

function arpOf(bytes: Uint8Array, { network, source, destination }: Layers): ArpFields {
  return {
    operation: u16(bytes, network + 6),
    senderMac: macText(bytes.subarray(network + 8, network + 14)),
    senderAddress: addressText(bytes.subarray(source, source + 4)),
    targetMac: macText(bytes.subarray(network + 18, network + 24)),
    targetAddress: addressText(bytes.subarray(destination, destination + 4)),
  }
}

function ipOf(bytes: Uint8Array, { network, source, destination, addressLength, ...more }: Layers): IpFields {
  const version = addressLength === 4 ? 4 : 6
  // IPv6 has its traffic class across the first bytes (RFC 8200 §3).
  const traffic = version === 4 ? bytes[network + 1]! : (u16(bytes, network) >> 4) & 0xff
  return {
    version,
    source: addressText(bytes.subarray(source, source + addressLength)),
    destination: addressText(bytes.subarray(destination, destination + addressLength)),
    protocol: more.protocol,
    ttl: bytes[network + (version === 4 ? 8 : 7)]!,
    dscp: traffic >> 2,
    ecn: traffic & 3,
    laterFragment: more.later,
  }
}

function tcpOf(bytes: Uint8Array, at: number): TcpFields {
  const bits = bytes[at + 13]!
  return {
    ...portsOf(bytes, at),
    sequence: u32(bytes, at + 4),
    acknowledgement: u32(bytes, at + 8),
    window: u16(bytes, at + 14),
    flags: tcpFlags.filter((_, bit) => bits & (1 << bit)),
  }
}

function portsOf(bytes: Uint8Array, at: number): UdpFields {
  return { sourcePort: u16(bytes, at), destinationPort: u16(bytes, at + 2) }
}

/** Echo reply and request: 0 and 8 of ICMP, 129 and 128 of ICMPv6. */
const echoes = { 4: [0, 8], 6: [128, 129] } as const
const neighbourMessages: readonly number[] = [135, 136]

function icmpOf(bytes: Uint8Array, { transport, end, addressLength }: Layers): IcmpFields {
  const [type, code] = [bytes[transport]!, bytes[transport + 1]!]
  const isEcho = (echoes[addressLength === 4 ? 4 : 6] as readonly number[]).includes(type)
  const hasTarget = addressLength === 16 && neighbourMessages.includes(type) && end - transport >= 24
  return {
    type,
    code,
    ...(isEcho &&
      end - transport >= 8 && {
        identifier: u16(bytes, transport + 4),
        sequence: u16(bytes, transport + 6),
      }),
    ...(hasTarget && { target: addressText(bytes.subarray(transport + 8, transport + 24)) }),
  }
}
