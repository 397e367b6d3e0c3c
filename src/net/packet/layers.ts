/** Where the headers of a frame are. Offsets count from the frame's first byte; -1 is a header that is not there. */
export interface Layers {
  /** Of what follows the VLAN tags. A length, below 0x600, in frames of IEEE 802.3. */
  readonly etherType: number
  /** The ids of VLAN tags, the outer first. */
  readonly vlans: readonly number[]
  /** The header after the Ethernet header and the tags: complete for ARP, IPv4 and IPv6, else -1. */
  readonly network: number
  /** The network addresses, of ARP too. */
  readonly source: number
  readonly destination: number
  /** Bytes of each: 4, 16 or 0. */
  readonly addressLength: number
  /** The IP protocol, after the extension headers of IPv6; -1 without IP. */
  readonly protocol: number
  /** The header of that protocol, -1 in all fragments but the first. */
  readonly transport: number
  /** It is a fragment, and not the first. */
  readonly later: boolean
  /** Where the packet ends: what Ethernet pads short frames with comes after it. */
  readonly end: number
}

export const etherTypes = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  serviceVlan: 0x88a8,
} as const
export const protocols = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const

const ethernetHeader = 14
const ipv4Header = 20
const ipv6Header = 40
/** Of Ethernet and IPv4, the only kind that is looked at (RFC 826). */
const arpLength = 28

/** Finds the headers of a frame. Reads no byte beyond it, whatever its fields claim. Undefined when it is too short. */
export function layersOf(bytes: Uint8Array): Layers | undefined {
  if (bytes.length < ethernetHeader) return undefined
  const vlans: number[] = []
  let at = ethernetHeader
  let etherType = u16(bytes, at - 2)
  while ((etherType === etherTypes.vlan || etherType === etherTypes.serviceVlan) && at + 4 <= bytes.length) {
    vlans.push(u16(bytes, at) & 0xfff)
    etherType = u16(bytes, at + 2)
    at += 4
  }
  const network = networkOf(bytes, etherType, at)
  return { etherType, vlans, ...network }
}

type Network = Omit<Layers, 'etherType' | 'vlans'>

function networkOf(bytes: Uint8Array, etherType: number, at: number): Network {
  const left = bytes.length - at
  if (etherType === etherTypes.ipv4 && left >= ipv4Header && bytes[at]! >> 4 === 4) return ipv4(bytes, at)
  if (etherType === etherTypes.ipv6 && left >= ipv6Header && bytes[at]! >> 4 === 6) return ipv6(bytes, at)
  const noAddresses = { source: -1, destination: -1, addressLength: 0 }
  const none = { ...noAddresses, protocol: -1, transport: -1, later: false, end: bytes.length }
  if (etherType !== etherTypes.arp || left < arpLength) return { ...none, network: -1 }
  const isKnown =
    u16(bytes, at) === 1 && u16(bytes, at + 2) === etherTypes.ipv4 && u16(bytes, at + 4) === 0x0604
  if (!isKnown) return { ...none, network: -1 }
  return {
    ...none,
    network: at,
    source: at + 14,
    destination: at + 24,
    addressLength: 4,
    end: at + arpLength,
  }
}

/** RFC 791 §3.1. A total length of 0 is that of a segment which its device has yet to cut. */
function ipv4(bytes: Uint8Array, network: number): Network {
  const header = (bytes[network]! & 0xf) * 4
  const total = u16(bytes, network + 2)
  const end = endOf(bytes, network, total >= header ? total : 0)
  const later = (u16(bytes, network + 6) & 0x1fff) > 0
  const transport = !later && header >= ipv4Header && network + header <= end ? network + header : -1
  const addresses = { source: network + 12, destination: network + 16, addressLength: 4 }
  return { network, ...addresses, protocol: bytes[network + 9]!, transport, later, end }
}

/** RFC 8200 §3, §4. */
function ipv6(bytes: Uint8Array, network: number): Network {
  const payload = u16(bytes, network + 4)
  const end = endOf(bytes, network, payload > 0 ? ipv6Header + payload : 0)
  const addresses = { source: network + 8, destination: network + 24, addressLength: 16 }
  let protocol = bytes[network + 6]!
  let at = network + ipv6Header
  for (;;) {
    const length = extensionLength(bytes, protocol, { at, end })
    if (length === 0)
      return { network, ...addresses, protocol, transport: at <= end ? at : -1, later: false, end }
    const later = protocol === fragment && u16(bytes, at + 2) >> 3 > 0
    protocol = bytes[at]!
    at += length
    if (later) return { network, ...addresses, protocol, transport: -1, later, end }
  }
}

const fragment = 44
/** Hop-by-hop options, routing, destination options, mobility, HIP, shim6: in units of 8 bytes after the first. */
const extensions: ReadonlySet<number> = new Set([0, 43, 60, 135, 139, 140])
const authentication = 51

/** 0 when no extension header is there. */
function extensionLength(
  bytes: Uint8Array,
  kind: number,
  { at, end }: { readonly at: number; readonly end: number },
): number {
  if (at + 8 > end) return 0
  if (kind === fragment) return 8
  if (kind === authentication) return (bytes[at + 1]! + 2) * 4
  return extensions.has(kind) ? (bytes[at + 1]! + 1) * 8 : 0
}

function endOf(bytes: Uint8Array, network: number, length: number): number {
  return length > 0 ? Math.min(bytes.length, network + length) : bytes.length
}

/** In network byte order. */
export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 65_536 + u16(bytes, at + 2)
}
