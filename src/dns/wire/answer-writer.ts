import { type BufferView, drop, later, type Transport } from '../types.ts'
import type { Answer } from './answer.ts'
import { emptyOpt, flag, flag2, headerBytes, ownUdpSize, Type } from './constants.ts'
import type { Query } from './query.ts'

/** How a stored answer is sent this time. */
export interface Manner {
  transport: Transport
  /** Seconds since it was stored, by which its TTLs have gone down. */
  age: number
  /** The TTL of every record in place of its own, or -1. Stale answers use it (RFC 8767 §5.2). */
  ttl: number
  /** Extended error for clients with EDNS, or -1. */
  extended: number
}

const extendedErrorOption = 15
/** Up to so many bytes a loop is as fast as `copy`, which makes a view of the part first: garbage for each answer. */
const shortAnswer = 80

/**
 * Writes answers into a server's buffer: the stored bytes with the query's id, flags and spelling, current
 * TTLs, an OPT record for clients that sent one, and at most the size that the client takes.
 */
export class AnswerWriter {
  /** Returns the length, or {@link later} when the buffer lacks room for an answer that the client would take. */
  write(query: Query, { answer, manner }: { answer: Answer; manner: Manner }, into: BufferView): number {
    const { wire, questionEnd } = answer
    const opt = query.edns ? emptyOpt + (manner.extended < 0 ? 0 : 6) : 0
    const limit = query.limit(manner.transport)
    let { length } = answer
    if (length + opt > limit) length = answer.additionalAt
    const fitting = length + opt > limit ? fittingRecords(answer, limit - opt) : -1
    if (fitting >= 0) length = fitting === 0 ? questionEnd : recordEnd(answer, fitting - 1)
    if (length + opt > into.length) return later
    const { bytes, at } = into
    if (length > shortAnswer) wire.copy(bytes, at, 0, length)
    else for (let i = 0; i < length; i++) bytes[at + i] = wire[i]!
    if (length < answer.length) bytes.fill(0, at + 10, at + headerBytes)
    this.#head(query, into)
    if (fitting >= 0) truncate(into, fitting)
    patchTtls(into, { answer, manner, length })
    if (opt === 0) return length
    bytes[at + 11]! += 1
    if (bytes[at + 11] === 0) bytes[at + 10]! += 1
    return length + writeOpt(bytes, at + length, { dnssec: query.dnssec, extended: manner.extended })
  }

  /** Writes an answer with an Rcode alone; {@link drop} when there is no room for it. */
  fail(query: Query, { rcode, extended }: { rcode: number; extended: number }, into: BufferView): number {
    const { bytes, at } = into
    const { questionEnd } = query
    query.seekOpt()
    if (questionEnd + emptyOpt + 6 > into.length) return drop
    query.bytes.copy(bytes, at, query.at, query.at + questionEnd)
    bytes[at + 2] = flag.QR | (bytes[at + 2]! & (flag.opcode | flag.RD))
    bytes[at + 3] = flag2.RA | (bytes[at + 3]! & flag2.CD) | (rcode & flag2.rcode)
    bytes.fill(0, at + 4, at + headerBytes)
    if (questionEnd > headerBytes) bytes[at + 5] = 1
    if (!query.edns) return questionEnd
    bytes[at + 11] = 1
    const { dnssec } = query
    const opt = writeOpt(bytes, at + questionEnd, { dnssec, extended })
    bytes[at + questionEnd + 5] = rcode >> 4
    return questionEnd + opt
  }

  /**
   * Id, RD and CD as in the query, and the question in its spelling: that of a name that does not exist is
   * stored without its type. AD only for clients that asked for it (RFC
   * 6840 §5.8).
   */
  #head(query: Query, { bytes, at }: BufferView): void {
    const asked = query.bytes
    const from = query.at
    bytes[at] = asked[from]!
    bytes[at + 1] = asked[from + 1]!
    bytes[at + 2] = (bytes[at + 2]! & ~flag.RD) | (asked[from + 2]! & flag.RD)
    const wantsAd = query.dnssec || (asked[from + 3]! & flag2.AD) !== 0
    const mask = wantsAd ? ~flag2.CD : ~(flag2.CD | flag2.AD)
    bytes[at + 3] = (bytes[at + 3]! & mask) | (asked[from + 3]! & flag2.CD)
    const { questionEnd } = query
    for (let i = headerBytes; i < questionEnd; i++) bytes[at + i] = asked[from + i]!
  }
}

/** The offset after a record of a stored answer: its data's length follows its TTL. */
function recordEnd({ wire, ttls }: Answer, record: number): number {
  const ttlAt = ttls[record]!
  return ttlAt + 6 + ((wire[ttlAt + 4]! << 8) | wire[ttlAt + 5]!)
}

/** How many records, whole ones from the first on, have room in so many bytes (RFC 2181 §9). */
function fittingRecords(answer: Answer, room: number): number {
  let count = 0
  while (count < answer.records && recordEnd(answer, count) <= room) count++
  return count
}

/** Sets TC, and the counts of the first two sections, of which so many records are left. */
function truncate({ bytes, at }: BufferView, count: number): void {
  bytes[at + 2]! |= flag.TC
  const answers = Math.min(count, bytes.readUInt16BE(at + 6))
  bytes.writeUInt16BE(answers, at + 6)
  bytes.writeUInt16BE(count - answers, at + 8)
}

function patchTtls(
  { bytes, at }: BufferView,
  { answer, manner, length }: { answer: Answer; manner: Manner; length: number },
): void {
  const { age, ttl } = manner
  if (age === 0 && ttl < 0) return
  const { ttls, records } = answer
  for (let i = 0; i < records; i++) {
    const offset = ttls[i]!
    if (offset >= length) return
    const here = at + offset
    // Four single bytes take a third of the time of readUInt32BE and writeUInt32BE.
    const kept = (bytes[here]! << 24) | (bytes[here + 1]! << 16) | (bytes[here + 2]! << 8) | bytes[here + 3]!
    const left = ttl >= 0 ? ttl : kept > age ? kept - age : 0
    bytes[here] = left >> 24
    bytes[here + 1] = left >> 16
    bytes[here + 2] = left >> 8
    bytes[here + 3] = left
  }
}

/**
 * Writes this forwarder's OPT record: size and version of this hop, DO as in the query (RFC 6891 §6.1.4), and
 * no option except that of RFC 8914.
 */
export function writeOpt(
  bytes: Buffer,
  at: number,
  { dnssec, extended }: { dnssec: boolean; extended: number },
): number {
  const options = extended < 0 ? 0 : 6
  bytes[at] = 0
  bytes[at + 1] = 0
  bytes[at + 2] = Type.OPT
  bytes[at + 3] = ownUdpSize >> 8
  bytes[at + 4] = ownUdpSize & 0xff
  bytes[at + 5] = 0
  bytes[at + 6] = 0
  bytes[at + 7] = dnssec ? 0x80 : 0
  bytes[at + 8] = 0
  bytes[at + 9] = 0
  bytes[at + 10] = options
  if (options > 0) {
    bytes.fill(0, at + emptyOpt, at + emptyOpt + options)
    bytes[at + 12] = extendedErrorOption
    bytes[at + 14] = 2
    bytes[at + 15] = extended >> 8
    bytes[at + 16] = extended & 0xff
  }
  return emptyOpt + options
}
