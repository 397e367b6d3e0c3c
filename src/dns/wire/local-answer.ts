import type { Answer } from './answer.ts'
import { Class, flag, flag2, headerBytes, Type } from './constants.ts'
import type { Question } from './question.ts'

/** A record made here, for the name in the question. */
export interface OwnRecord {
  readonly type: number
  readonly data: Uint8Array
  /** In seconds, where it is another than that of the answer. */
  readonly ttl?: number | undefined
}

/** A pointer to the name in the question (RFC 1035 §4.1.4). */
const asAsked = [0xc0, headerBytes]

/** An answer made here from these records. Without any it has an SOA, which says how long that is valid. */
export function ownAnswer(
  question: Question,
  { rcode, records, ttl }: { rcode: number; records: readonly OwnRecord[]; ttl: number },
): Answer {
  const parts = records.length > 0 ? records : [soa(ttl)]
  const bytes = parts.map(part => record(part, part.ttl ?? ttl))
  const wire = Buffer.concat([Buffer.alloc(headerBytes), question.bytes, ...bytes])
  const questionEnd = headerBytes + question.bytes.length
  wire[2] = flag.QR | flag.AA
  wire[3] = flag2.RA | rcode
  wire[5] = 1
  wire.writeUInt16BE(parts.length, records.length > 0 ? 6 : 8)
  let at = questionEnd
  const ttls = bytes.map(({ length }) => {
    at += length
    return at - length + 6
  })
  return {
    wire,
    length: wire.length,
    questionEnd,
    ttls: Uint16Array.from(ttls),
    records: ttls.length,
    additionalAt: wire.length,
    rcode,
    extended: -1,
    received: false,
  }
}

/** An answer with an Rcode alone, for a query that cannot be answered. */
export function failureAnswer(question: Question, rcode: number, extended: number): Answer {
  const wire = Buffer.concat([Buffer.alloc(headerBytes), question.bytes])
  wire[2] = flag.QR
  wire[3] = flag2.RA | rcode
  wire[5] = 1
  const { length } = wire
  return {
    wire,
    length,
    questionEnd: length,
    ttls: new Uint16Array(),
    records: 0,
    additionalAt: length,
    rcode,
    extended,
    received: false,
  }
}

function record({ type, data }: OwnRecord, ttl: number): Buffer {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.set(asAsked)
  bytes.writeUInt16BE(type, 2)
  bytes.writeUInt16BE(Class.IN, 4)
  bytes.writeUInt32BE(ttl, 6)
  bytes.writeUInt16BE(data.length, 10)
  bytes.set(data, 12)
  return bytes
}

function soa(ttl: number): OwnRecord {
  return { type: Type.SOA, data: soaData(asAsked, ttl) }
}

/** The name itself is its zone, its server and its mailbox (RFC 2308 §3: negative answers have an SOA). */
export function soaData(name: ArrayLike<number>, ttl: number): Buffer {
  const data = Buffer.alloc(2 * name.length + 20)
  data.set(name)
  data.set(name, name.length)
  for (const [i, value] of [1, ttl, ttl, ttl, ttl].entries())
    data.writeUInt32BE(value, 2 * name.length + 4 * i)
  return data
}
