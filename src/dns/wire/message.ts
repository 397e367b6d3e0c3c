import { headerBytes, Type } from './constants.ts'
import { skipName } from './name.ts'
import { shortestRecord } from './query.ts'

/** The place of one record in a message. */
export interface RecordPlace {
  readonly section: 'answer' | 'authority' | 'additional'
  readonly at: number
  readonly type: number
  /** Offset of its TTL. Type and class are before it, the length of the data after it. */
  readonly ttlAt: number
  readonly dataAt: number
  readonly end: number
}

/** A parsed message: everything in it is within its bytes. */
export interface Message {
  readonly bytes: Buffer
  readonly questionEnd: number
  readonly records: readonly RecordPlace[]
  /** With the upper bits from an OPT record (RFC 6891 §6.1.3). */
  readonly rcode: number
  readonly opt: RecordPlace | undefined
}

/**
 * Parses another server's answer. Undefined when it is malformed: counts that the bytes cannot hold, names or
 * data beyond its end, an OPT record in a wrong place, or not exactly one question. Bytes left over are passed
 * over, as by other resolvers: some servers pad their answers so.
 */
export function readMessage(bytes: Buffer): Message | undefined {
  if (bytes.length < headerBytes || bytes.readUInt16BE(4) !== 1) return undefined
  const nameEnd = skipName(bytes, headerBytes, bytes.length)
  const questionEnd = nameEnd + 4
  if (nameEnd < 0 || questionEnd > bytes.length) return undefined
  const records = readRecords(bytes, questionEnd)
  if (records === undefined) return undefined
  let opt: RecordPlace | undefined
  for (const record of records) {
    if (record.type !== Type.OPT) continue
    if (opt || record.section !== 'additional' || bytes[record.at] !== 0) return undefined
    opt = record
  }
  const rcode = (bytes[3]! & 0x0f) | (opt ? bytes[opt.ttlAt]! << 4 : 0)
  return { bytes, questionEnd, records, rcode, opt }
}

function readRecords(bytes: Buffer, from: number): RecordPlace[] | undefined {
  const answers = bytes.readUInt16BE(6)
  const authorities = bytes.readUInt16BE(8)
  const count = answers + authorities + bytes.readUInt16BE(10)
  if (count * shortestRecord > bytes.length - from) return undefined
  // Its size is known: an array that grows takes room for 17.
  const records: RecordPlace[] = new Array(count)
  let at = from
  for (let i = 0; i < count; i++) {
    const fixed = skipName(bytes, at, bytes.length)
    if (fixed < 0 || fixed + 10 > bytes.length) return undefined
    const end = fixed + 10 + bytes.readUInt16BE(fixed + 8)
    if (end > bytes.length) return undefined
    const section = i < answers ? 'answer' : i < answers + authorities ? 'authority' : 'additional'
    const type = bytes.readUInt16BE(fixed)
    records[i] = { section, at, type, ttlAt: fixed + 4, dataAt: fixed + 10, end }
    at = end
  }
  return records
}
