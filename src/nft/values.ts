import { addressBytes, addressText, macBytes, macText, messageOf, parseCidr } from '../base/index.ts'
import { badValue } from './errors.ts'
import { type Protocol, protocolNumbers } from './names.ts'

/** All values from one to another, both included. With a mask, the values with these bits. */
export interface Span {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly mask?: Uint8Array
}

/** How values of one kind are stored in a register. */
export interface ValueType<T> {
  /** nft's name for it, as in `type ipv4_addr`. */
  readonly name: string
  /** nft's number for it (include/datatype.h), which the kernel stores with a set. */
  readonly number: number
  readonly length: number
  /** Stored in host order: ranges need a conversion, and sets of it cannot have intervals. */
  readonly host?: true
  /** The values are bits: several of them are one mask, not a set. */
  readonly bits?: true
  span(this: void, value: T): Span
  show(this: void, bytes: Uint8Array): T
}

const exactly = (bytes: Uint8Array): Span => ({ from: bytes, to: bytes })

function address(name: string, number: number, length: 4 | 16): ValueType<string> {
  return {
    name,
    number,
    length,
    show: addressText,
    span(value) {
      const cidr = value.includes('/') ? parsed(name, value, parseCidr) : undefined
      const bytes = parsed(name, cidr?.address ?? value, addressBytes)
      if (bytes.length !== length) throw badValue(name, `'${value}' is an address of the other family`)
      return cidr === undefined ? exactly(bytes) : prefixSpan(bytes, cidr.prefix)
    },
  }
}

/** Bits beyond the prefix are cleared, as nft does. */
function prefixSpan(address: Uint8Array, prefix: number): Span {
  const mask = address.map((_, at) => 0xff & ~(0xff >> Math.max(0, Math.min(8, prefix - 8 * at))))
  const from = address.map((byte, at) => byte & mask[at]!)
  return { from, to: from.map((byte, at) => byte | (0xff & ~mask[at]!)), mask }
}

function parsed<T>(name: string, value: string, parse: (value: string) => T): T {
  try {
    return parse(value)
  } catch (failure) {
    throw badValue(name, messageOf(failure))
  }
}

interface Whole {
  readonly name: string
  readonly number: number
  readonly length: 1 | 2 | 4
  readonly host?: true
  readonly bits?: true
}

/** Numbers, and names for some of them. */
function whole<N extends string = never>(
  about: Whole,
  names: Readonly<Record<string, number>> = {},
): ValueType<number | N> {
  const { name, length, host = false } = about
  return {
    ...about,
    span(value) {
      const number = typeof value === 'number' ? value : names[value]
      if (number === undefined)
        throw badValue(name, `'${value}' is not one of ${Object.keys(names).join(', ')}`)
      if (!Number.isInteger(number) || number < 0 || number >= 2 ** (8 * length))
        throw badValue(name, `${number} is not a whole number of ${8 * length} bits`)
      const bytes = Uint8Array.from({ length }, (_, at) => number / 2 ** (8 * (length - 1 - at)))
      return exactly(host ? bytes.reverse() : bytes)
    },
    show: bytes => (host ? bytes.slice().reverse() : bytes).reduce((sum, byte) => sum * 256 + byte, 0),
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** IFNAMSIZ bytes. With `*` at its end it matches all names with that beginning. */
const interfaceName: ValueType<string> = {
  name: 'ifname',
  number: 41,
  length: 16,
  host: true,
  span(value) {
    const text = encoder.encode(value)
    if (text.length === 0 || text.length > 15 || /[\s/\0]/.test(value))
      throw badValue('ifname', `'${value}' is not an interface name of 1 to 15 bytes`)
    if (value.length > 1 && value.endsWith('*')) return exactly(text.subarray(0, -1))
    const bytes = new Uint8Array(16)
    bytes.set(text)
    return exactly(bytes)
  },
  show: bytes => decoder.decode(bytes).replace(/\0+$/, ''),
}

const mac: ValueType<string> = {
  name: 'ether_addr',
  number: 9,
  length: 6,
  span: value => exactly(parsed('ether_addr', value, macBytes)),
  show: macText,
}

const ctStates = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 }
const ctStatuses = { expected: 1, 'seen-reply': 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 }
const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 }
const etherTypes = { ip: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd, lldp: 0x88cc }
const icmpTypes = {
  'echo-reply': 0,
  'destination-unreachable': 3,
  redirect: 5,
  'echo-request': 8,
  'time-exceeded': 11,
  'parameter-problem': 12,
}
const icmpv6Types = {
  'destination-unreachable': 1,
  'packet-too-big': 2,
  'time-exceeded': 3,
  'parameter-problem': 4,
  'echo-request': 128,
  'echo-reply': 129,
  'nd-router-solicit': 133,
  'nd-router-advert': 134,
  'nd-neighbor-solicit': 135,
  'nd-neighbor-advert': 136,
}
/** RTN_*: the type of an address in the routing table. */
const addressTypes = { unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5, unreachable: 7 }
const nfprotos = { ipv4: 2, ipv6: 10 }

/** The types of fields and of set elements. */
export const types = {
  integer: whole({ name: 'integer', number: 4, length: 4, host: true }),
  byte: whole({ name: 'byte', number: 4, length: 1 }),
  nf_proto: whole<keyof typeof nfprotos>({ name: 'nf_proto', number: 2, length: 1 }, nfprotos),
  ipv4_addr: address('ipv4_addr', 7, 4),
  ipv6_addr: address('ipv6_addr', 8, 16),
  ether_addr: mac,
  ether_type: whole<keyof typeof etherTypes>({ name: 'ether_type', number: 10, length: 2 }, etherTypes),
  inet_proto: whole<Protocol & string>({ name: 'inet_proto', number: 12, length: 1 }, protocolNumbers),
  inet_service: whole({ name: 'inet_service', number: 13, length: 2 }),
  icmp_type: whole<keyof typeof icmpTypes>({ name: 'icmp_type', number: 14, length: 1 }, icmpTypes),
  tcp_flag: whole<keyof typeof tcpFlags>({ name: 'tcp_flag', number: 15, length: 1, bits: true }, tcpFlags),
  mark: whole({ name: 'mark', number: 19, length: 4, host: true }),
  iface_index: whole({ name: 'iface_index', number: 20, length: 4, host: true }),
  uid: whole({ name: 'uid', number: 24, length: 4, host: true }),
  ct_state: whole<keyof typeof ctStates>(
    { name: 'ct_state', number: 26, length: 4, host: true, bits: true },
    ctStates,
  ),
  ct_status: whole<keyof typeof ctStatuses>(
    { name: 'ct_status', number: 28, length: 4, host: true, bits: true },
    ctStatuses,
  ),
  icmpv6_type: whole<keyof typeof icmpv6Types>({ name: 'icmpv6_type', number: 29, length: 1 }, icmpv6Types),
  fib_addrtype: whole<keyof typeof addressTypes>(
    { name: 'fib_addrtype', number: 38, length: 4, host: true },
    addressTypes,
  ),
  ifname: interfaceName,
}

/** Compares as big-endian, which is how the kernel orders keys. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
