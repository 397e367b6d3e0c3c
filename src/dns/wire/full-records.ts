import type { Answer } from './answer.ts'
import { Class, flag, flag2, headerBytes } from './constants.ts'
import type { Message, RecordPlace } from './message.ts'
import { nameKey, skipName } from './name.ts'
import type { Question } from './question.ts'

/** A record by itself: its names are not compressed. */
export interface FullRecord {
  readonly section: RecordPlace['section']
  readonly name: Uint8Array
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly data: Uint8Array
}

/**
 * The types whose data may have compressed names (RFC 3597 §4): so many bytes, then so many names, then the rest.
 */
const withNames: ReadonlyMap<number, readonly [before: number, names: number]> = new Map<
  number,
  readonly [number, number]
>([
  ...[2, 3, 4, 5, 7, 8, 9, 12, 39].map(type => [type, [0, 1]] as const),
  ...[6, 14, 17].map(type => [type, [0, 2]] as const),
  ...[15, 18, 21].map(type => [type, [2, 1]] as const),
  [26, [2, 2]],
  [33, [6, 1]],
])

/** The records of a message, with TTLs lowered by `age` seconds. Undefined when the data of one is malformed. */
export function fullRecords({ bytes, records }: Message, age = 0): FullRecord[] | undefined {
  const found: FullRecord[] = []
  for (const { section, at, type, ttlAt, dataAt, end } of records) {
    const data = fullData(bytes, { type, dataAt, end })
    if (!data) return undefined
    const ttl = Math.max(0, bytes.readUInt32BE(ttlAt) - age)
    found.push({ section, name: fullName(bytes, at), type, class: bytes.readUInt16BE(ttlAt - 2), ttl, data })
  }
  return found
}

function fullData(
  bytes: Buffer,
  { type, dataAt, end }: Pick<RecordPlace, 'type' | 'dataAt' | 'end'>,
): Uint8Array | undefined {
  const [before, names] = withNames.get(type) ?? [0, 0]
  if (names === 0) return bytes.subarray(dataAt, end)
  let at = dataAt + before
  const parts: Uint8Array[] = [bytes.subarray(dataAt, Math.min(at, end))]
  for (let i = 0; i < names; i++) {
    const next = at < end ? skipName(bytes, at, end) : -1
    if (next < 0) return undefined
    parts.push(fullName(bytes, at))
    at = next
  }
  return Buffer.concat([...parts, bytes.subarray(at, end)])
}

/** A name that has been checked, without pointers. */
function fullName(bytes: Buffer, at: number): Uint8Array {
  const labels: Uint8Array[] = []
  for (let here = at; bytes[here]; ) {
    const size = bytes[here]!
    if (size >= 0xc0) here = bytes.readUInt16BE(here) & 0x3fff
    else {
      labels.push(bytes.subarray(here, here + size + 1))
      here += size + 1
    }
  }
  return Buffer.concat([...labels, Buffer.of(0)])
}

/** The content of an answer that is written anew. */
export interface Written {
  readonly rcode: number
  readonly records: readonly FullRecord[]
  /** An extended error, or -1. */
  readonly extended?: number
  /** It is all this forwarder's own. */
  readonly authoritative?: boolean
}

/** The most records that one message has room for; more are left out. */
const mostBytes = 0xffff - 512
const sections = ['answer', 'authority', 'additional'] as const

/** An answer with these records. Owners that are the question's name point at it, so that they have its spelling. */
export function writtenAnswer(
  question: Question,
  { rcode, records, extended = -1, authoritative }: Written,
): Answer {
  const asked = nameKey(question.bytes.subarray(0, -4))
  const parts: Buffer[] = [Buffer.alloc(headerBytes), question.bytes]
  const questionEnd = headerBytes + question.bytes.length
  const counts = [0, 0, 0]
  const ttls: number[] = []
  let at = questionEnd
  let additionalAt = -1
  for (const [i, section] of sections.entries()) {
    if (section === 'additional') additionalAt = at
    for (const record of records) {
      if (record.section !== section) continue
      const name = nameKey(record.name) === asked ? Buffer.of(0xc0, headerBytes) : Buffer.from(record.name)
      const bytes = recordBytes(name, record)
      if (at + bytes.length > mostBytes) continue
      parts.push(bytes)
      ttls.push(at + name.length + 4)
      counts[i]!++
      at += bytes.length
    }
  }
  const wire = Buffer.concat(parts)
  wire[2] = flag.QR | (authoritative ? flag.AA : 0)
  wire[3] = flag2.RA | (rcode & flag2.rcode)
  wire[5] = 1
  for (const [i, count] of counts.entries()) wire.writeUInt16BE(count, 6 + 2 * i)
  return {
    wire,
    length: wire.length,
    questionEnd,
    ttls: Uint16Array.from(ttls),
    records: ttls.length,
    additionalAt,
    rcode,
    extended,
    received: false,
  }
}

function recordBytes(name: Buffer, { type, class: kind, ttl, data }: FullRecord): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(kind, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([name, fixed, data])
}

/** A record of class IN in the answer section. */
export function inAnswer(
  name: Uint8Array,
  record: { type: number; ttl: number; data: Uint8Array },
): FullRecord {
  return { section: 'answer', name, class: Class.IN, ...record }
}
