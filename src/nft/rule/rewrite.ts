import { inRange } from '../../netlink/index.ts'
import { badValue } from '../errors.ts'
import { protocolNumbers } from '../names.ts'
import type { Mapped } from '../set/maps.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import type { ValueType } from '../values.ts'
import { type Expression, NFT_REG_1 } from '../wire/index.ts'
import { type Draft, immediate, type Statement } from './draft.ts'
import { type Field, loadField } from './fields.ts'

/** What a field of a header is set to: a value, that of another field, or one from a map. */
export type Written<T> = T | { readonly field: Field<T> } | Mapped<T>

/** NFT_PAYLOAD_CSUM_*: the sum of RFC 1071, and that of SCTP, which the kernel makes anew. */
const internet = 1
const sctpSum = 2
/** NFT_PAYLOAD_L4CSUM_PSEUDOHDR: the sums of TCP and UDP include the field. */
const inPseudoHeader = 1

interface Header {
  /** nft's name for it: `ip`. */
  readonly name: string
  readonly base: 'link' | 'network' | 'transport'
  readonly checksum?: { readonly type: number; readonly offset: number }
}

interface Place<T> {
  readonly type: ValueType<T>
  /** Where it begins and how long it is, in bits. */
  readonly at: number
  readonly bits: number
  readonly pseudo?: true
}

/** A rewritten field: `rewrite.ip.dscp(46)` is `ip dscp set 46`. */
function rewriter<T>(header: Header, name: string, place: Place<T>) {
  return (value: Written<T>): Statement => {
    take(`rewrite ${header.name} ${name}`, value, ['Written', 'value'])
    const text = `${header.name} ${name} set ${textOf(value)}`
    return {
      text,
      write(rule) {
        need(rule, header, text)
        const span = bytesOf(header, place)
        if (span.exact) load(rule, value, place)
        else rule.add(...merged(header, { text, place, value: constant(value, text) }))
        rule.add(store(header, place))
      },
    }
  }
}

function need(rule: Draft, { name, base }: Header, text: string): void {
  if (base === 'link') rule.needEthernet()
  if (name === 'ip' || name === 'ip6') rule.needNetwork(name, text)
  if (name === 'icmp') rule.needNetwork('ip', text)
  if (name === 'icmpv6') rule.needNetwork('ip6', text)
  if (base === 'transport' && name in protocolNumbers) rule.needTransport(name, text)
}

/** The bytes that the field is in: of a header with a checksum, whole words of 16 bits, which the sum is made of. */
function bytesOf({ checksum }: Header, { at, bits }: Place<unknown>) {
  let [from, to] = [Math.floor(at / 8), Math.ceil((at + bits) / 8)]
  if (checksum) [from, to] = [from - (from % 2), to + (to % 2)]
  return { from, length: to - from, exact: from * 8 === at && (to - from) * 8 === bits }
}

function load<T>(rule: Draft, value: Written<T>, { type, bits }: Place<T>): void {
  if (isField(value)) loadField(rule, value.field)
  else if (isMapped(value)) value.load(rule, type)
  else rule.add(immediate(NFT_REG_1, { value: type.span(checked(value, type, bits)).from }))
}

/** Loads what is there, and puts the field's bits into it. */
function merged<T>(
  header: Header,
  { text, place, value }: { text: string; place: Place<T>; value: T },
): Expression[] {
  const { from, length } = bytesOf(header, place)
  const behind = BigInt((from + length) * 8 - place.at - place.bits)
  const number = place.type.span(checked(value, place.type, place.bits)).from
  const bits = BigInt(`0x${Buffer.from(number).toString('hex')}`)
  const all = (1n << BigInt(place.bits)) - 1n
  if (bits > all) throw badValue(text, `it has ${place.bits} bits`)
  const source = NFT_REG_1
  const mask = bigBytes(((1n << BigInt(length * 8)) - 1n) & ~(all << behind), length)
  return [
    { kind: 'payload', destination: source, base: header.base, offset: from, length },
    {
      ...{ kind: 'bitwise', source, destination: source, length },
      ...{ mask: { value: mask }, xor: { value: bigBytes(bits << behind, length) } },
    },
  ]
}

function bigBytes(value: bigint, length: number): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'))
}

function store(header: Header, place: Place<unknown>): Expression {
  const { base, checksum } = header
  const { from: offset, length } = bytesOf(header, place)
  return {
    ...{ kind: 'payload', source: NFT_REG_1, base, offset, length },
    ...(checksum && { checksumType: checksum.type, checksumOffset: checksum.offset }),
    ...(place.pseudo && { checksumFlags: inPseudoHeader }),
  }
}

/** Fields of some bits have types of whole bytes. */
function checked<T>(value: T, { name }: ValueType<T>, bits: number): T {
  if (typeof value === 'number')
    inRange({ op: 'build rule', field: name, value, least: 0, most: 2 ** bits - 1 })
  return value
}

const isField = <T>(value: Written<T>): value is { readonly field: Field<T> } =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && 'field' in value
const isMapped = <T>(value: Written<T>): value is Mapped<T> =>
  typeof value === 'object' && value !== null && 'load' in value

function constant<T>(value: Written<T>, text: string): T {
  if (!isField(value) && !isMapped(value)) return value
  throw badValue(
    text,
    'a field that shares its bytes with others is set to a value, not to a field or from a map',
  )
}

function textOf(value: Written<unknown>): string {
  if (isField(value)) return value.field.name
  return isMapped(value) ? value.text : `${value}`
}

const byte = types.byte
const addresses = (header: Header, saddr: number) => {
  const [type, bits] = header.name === 'ip' ? [types.ipv4_addr, 32] : [types.ipv6_addr, 128]
  return {
    saddr: rewriter(header, 'saddr', { type, at: saddr, bits, pseudo: true }),
    daddr: rewriter(header, 'daddr', { type, at: saddr + bits, bits, pseudo: true }),
  }
}
const ports = (header: Header) => ({
  sport: rewriter(header, 'sport', { type: types.inet_service, at: 0, bits: 16 }),
  dport: rewriter(header, 'dport', { type: types.inet_service, at: 16, bits: 16 }),
})

const ip: Header = { name: 'ip', base: 'network', checksum: { type: internet, offset: 10 } }
const ip6: Header = { name: 'ip6', base: 'network' }
const tcp: Header = { name: 'tcp', base: 'transport', checksum: { type: internet, offset: 16 } }
const udp: Header = { name: 'udp', base: 'transport', checksum: { type: internet, offset: 6 } }
const sctp: Header = { name: 'sctp', base: 'transport', checksum: { type: sctpSum, offset: 8 } }
const icmp: Header = { name: 'icmp', base: 'transport', checksum: { type: internet, offset: 2 } }
const icmpv6: Header = { ...icmp, name: 'icmpv6' }
const ether: Header = { name: 'ether', base: 'link' }

/**
 * Writes fields of packets, by nft's names: `rewrite.ip.dscp(46)` is `ip dscp set 46`, `rewrite.tcp.dport(8080)` is
 * `tcp dport set 8080`. Checksums are kept right. Dependencies are checked first, as for {@link match}. Unlike
 * {@link dnat} it does not concern the packets that answer.
 */
export const rewrite = {
  ip: {
    ...addresses(ip, 96),
    dscp: rewriter(ip, 'dscp', { type: types.dscp, at: 8, bits: 6 }),
    ecn: rewriter(ip, 'ecn', { type: types.ecn, at: 14, bits: 2 }),
    id: rewriter(ip, 'id', { type: types.inet_service, at: 32, bits: 16 }),
    /** The flags and the offset of a fragment: 0x4000 is "do not fragment". */
    fragOff: rewriter(ip, 'frag-off', { type: types.inet_service, at: 48, bits: 16 }),
    ttl: rewriter(ip, 'ttl', { type: byte, at: 64, bits: 8 }),
    protocol: rewriter(ip, 'protocol', { type: types.inet_proto, at: 72, bits: 8, pseudo: true }),
  },
  ip6: {
    ...addresses(ip6, 64),
    dscp: rewriter(ip6, 'dscp', { type: types.dscp, at: 4, bits: 6 }),
    ecn: rewriter(ip6, 'ecn', { type: types.ecn, at: 10, bits: 2 }),
    hoplimit: rewriter(ip6, 'hoplimit', { type: byte, at: 56, bits: 8 }),
    nexthdr: rewriter(ip6, 'nexthdr', { type: types.inet_proto, at: 48, bits: 8, pseudo: true }),
  },
  tcp: {
    ...ports(tcp),
    flags: rewriter(tcp, 'flags', { type: types.tcp_flag, at: 104, bits: 8 }),
    window: rewriter(tcp, 'window', { type: types.inet_service, at: 112, bits: 16 }),
  },
  udp: ports(udp),
  sctp: ports(sctp),
  /** The ports of any transport protocol. Its checksum is not corrected. */
  th: ports({ name: 'th', base: 'transport' }),
  icmp: {
    type: rewriter(icmp, 'type', { type: types.icmp_type, at: 0, bits: 8 }),
    code: rewriter(icmp, 'code', { type: types.icmp_code, at: 8, bits: 8 }),
  },
  icmpv6: {
    type: rewriter(icmpv6, 'type', { type: types.icmpv6_type, at: 0, bits: 8 }),
    code: rewriter(icmpv6, 'code', { type: types.icmpv6_code, at: 8, bits: 8 }),
  },
  ether: {
    daddr: rewriter(ether, 'daddr', { type: types.ether_addr, at: 0, bits: 48 }),
    saddr: rewriter(ether, 'saddr', { type: types.ether_addr, at: 48, bits: 48 }),
    type: rewriter(ether, 'type', { type: types.ether_type, at: 96, bits: 16 }),
  },
}
