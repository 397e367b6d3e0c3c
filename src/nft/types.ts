import { badValue } from './errors.ts'
import { type Protocol, protocolNumbers } from './names.ts'
import { address, interfaceName, mac, type ValueType, whole } from './values.ts'

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
const directions = { original: 0, reply: 1 }
/** PACKET_*. */
const packetTypes = { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 }
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
  /** A zone of conntrack: nft has no name for this type. */
  zone: whole({ name: 'zone', number: 4, length: 2, host: true }),
  ifname: interfaceName,
  arp_op: whole({ name: 'arp_op', number: 11, length: 2 }),
  dccp_pkttype: whole({ name: 'dccp_pkttype', number: 16, length: 1 }),
  mh_type: whole({ name: 'mh_type', number: 17, length: 1 }),
  iface_type: whole({ name: 'iface_type', number: 21, length: 2, host: true }),
  realm: whole({ name: 'realm', number: 22, length: 4, host: true }),
  classid: whole({ name: 'classid', number: 23, length: 4, host: true }),
  gid: whole({ name: 'gid', number: 25, length: 4, host: true }),
  ct_dir: whole<keyof typeof directions>({ name: 'ct_dir', number: 27, length: 1 }, directions),
  pkt_type: whole<keyof typeof packetTypes>(
    { name: 'pkt_type', number: 31, length: 1, host: true },
    packetTypes,
  ),
  icmp_code: whole({ name: 'icmp_code', number: 32, length: 1 }),
  icmpv6_code: whole({ name: 'icmpv6_code', number: 33, length: 1 }),
  devgroup: whole({ name: 'devgroup', number: 35, length: 4, host: true }),
  dscp: whole({ name: 'dscp', number: 36, length: 1 }),
  ecn: whole({ name: 'ecn', number: 37, length: 1 }),
  boolean: whole({ name: 'boolean', number: 39, length: 1 }),
  igmp_type: whole({ name: 'igmp_type', number: 42, length: 1 }),
  hour: whole({ name: 'hour', number: 44, length: 4, host: true }),
  day: whole({ name: 'day', number: 45, length: 1 }),
}

/** The types of set values, by nft's names. */
export type SetType = keyof typeof types
/** The TypeScript type of such values. */
export type ValueIn<K extends SetType> = (typeof types)[K] extends ValueType<infer T> ? T : never

const all = Object.values(types) as readonly ValueType<unknown>[]

/** The type with nft's number and this length. */
export function typeOfNumber(number: number, length: number): ValueType<unknown> | undefined {
  return all.find(type => type.number === number && type.length === length)
}

/** Integers of other sizes or orders than {@link types} has: those of `typeof` fields. */
export function integerOf(length: 2 | 3 | 4, host: boolean): ValueType<unknown> {
  return whole({ name: 'integer', number: types.integer.number, length, ...(host && { host }) })
}

/** Values of a type that has no name here, as bytes. */
export function rawType(number: number, length: number): ValueType<Uint8Array> {
  const span = (value: Uint8Array) => {
    if (!(value instanceof Uint8Array) || value.length !== length)
      throw badValue(`type ${number}`, `a value of this type is given as ${length} bytes`)
    return { from: value, to: value }
  }
  return { name: `type ${number}`, number, length, span, show: bytes => bytes }
}
