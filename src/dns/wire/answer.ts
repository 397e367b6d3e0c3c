import { flag, flag2, Rcode, Type } from './constants.ts'
import type { Message } from './message.ts'

/** An answer as it is stored and sent again: its bytes, and the offsets of its TTLs. */
export interface Answer {
  /** Without OPT (its options are per hop), TC and AA (the forwarder is not authoritative); with RA. */
  readonly wire: Buffer
  /** The number of bytes. Where answers share memory, `wire` is longer. */
  readonly length: number
  readonly questionEnd: number
  /** Ascending. */
  readonly ttls: ArrayLike<number>
  /** The number of records, each with a TTL. */
  readonly records: number
  /** Where the additional section begins. It may be omitted when an answer is too long (RFC 2181 §9). */
  readonly additionalAt: number
  readonly rcode: number
  /** An extended error that goes with it, or -1. */
  readonly extended: number
  /** An upstream gave it; others are made here. */
  readonly received: boolean
}

/**
 * An upstream's answer as it is stored, in the bytes of the message. TTLs above `ttlMax` seconds are lowered to it;
 * impossible TTLs become 0 (RFC 2181 §8).
 */
export function answerOf(message: Message, ttlMax: number): Answer {
  const { bytes: wire, records, questionEnd } = message
  const count = keptRecords(message)
  const extended = extendedIn(message)
  const end = count === 0 ? questionEnd : records[count - 1]!.end
  wire[2] = flag.QR | (wire[2]! & flag.RD)
  // An Rcode that needs an OPT record is not passed on to clients.
  const rcode = message.rcode > flag2.rcode ? Rcode.SERVFAIL : message.rcode
  wire[3] = flag2.RA | (wire[3]! & (flag2.AD | flag2.CD)) | rcode
  const ttls: number[] = new Array(count)
  let additional = 0
  let additionalAt = end
  for (let i = 0; i < count; i++) {
    const { ttlAt, section, at } = records[i]!
    const ttl = readU32(wire, ttlAt)
    if (ttl > 0x7fffffff) wire.writeUInt32BE(0, ttlAt)
    else if (ttl > ttlMax) wire.writeUInt32BE(ttlMax, ttlAt)
    ttls[i] = ttlAt
    if (section === 'additional' && additional++ === 0) additionalAt = at
  }
  wire[10] = additional >> 8
  wire[11] = additional & 0xff
  return {
    wire,
    length: end,
    questionEnd,
    ttls,
    records: count,
    additionalAt,
    rcode,
    extended,
    received: true,
  }
}

/** `readUInt32BE` without its checks. */
function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

const extendedErrorOption = 15

/** The first extended error in an upstream's OPT record, or -1. It is for the client too (RFC 8914 §3). */
function extendedIn({ bytes, opt }: Message): number {
  if (opt === undefined) return -1
  for (let at = opt.dataAt; at + 6 <= opt.end; at += 4 + bytes.readUInt16BE(at + 2)) {
    if (bytes.readUInt16BE(at) === extendedErrorOption && bytes.readUInt16BE(at + 2) >= 2)
      return bytes.readUInt16BE(at + 4)
  }
  return -1
}

/**
 * How many records are kept: all before the OPT record. Servers send it last. Records after it are omitted too: names
 * in them may point behind it, and additional records are optional.
 */
function keptRecords({ records, opt }: Message): number {
  return opt ? records.indexOf(opt) : records.length
}

/** How long an answer may be cached, and whether it is negative. */
export interface Life {
  /** 0 when it must not be cached. */
  readonly seconds: number
  readonly negative: boolean
}

/**
 * The smallest TTL of the records that answer the question (RFC 2181 §5.2). For "no such name" and "no such
 * data" the zone's SOA decides (RFC 2308 §5), without which it is not cached. The SOA's own TTL is lowered to
 * that.
 */
export function lifeOf({ records, rcode, bytes }: Message, { wire, questionEnd }: Answer): Life {
  const type = bytes.readUInt16BE(questionEnd - 4)
  let found = false
  const least = { answer: Number.POSITIVE_INFINITY, authority: Number.POSITIVE_INFINITY }
  for (const record of records) {
    const { section } = record
    if (section === 'additional') continue
    if (section === 'answer' && (record.type === type || type === Type.ANY)) found = true
    least[section] = Math.min(least[section], wire.readUInt32BE(record.ttlAt))
  }
  const negative = rcode === Rcode.NXDOMAIN || (rcode === Rcode.NOERROR && !found)
  if (!negative)
    return { seconds: rcode === Rcode.NOERROR ? Math.min(least.answer, least.authority) : 0, negative }
  const soa = records.find(record => record.section === 'authority' && record.type === Type.SOA)
  // An SOA has two names of at least a byte each and five numbers (RFC 1035 §3.3.13).
  if (!soa || soa.end - soa.dataAt < 22) return { seconds: 0, negative }
  const lowest = Math.min(wire.readUInt32BE(soa.ttlAt), wire.readUInt32BE(soa.end - 4))
  wire.writeUInt32BE(lowest, soa.ttlAt)
  return { seconds: Math.min(least.answer, lowest), negative }
}
