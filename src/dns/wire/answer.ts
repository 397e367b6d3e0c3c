import { flag, flag2, Rcode, Type } from './constants.ts'
import type { Message, RecordPlace } from './message.ts'

/** An answer as it is stored and sent again: its bytes, and the offsets of its TTLs. */
export interface Answer {
  /** Without OPT (its options are per hop), TC and AA (the forwarder is not authoritative); with RA. */
  readonly wire: Buffer
  readonly questionEnd: number
  /** Ascending. */
  readonly ttls: Uint16Array
  /** Where the additional section begins. It may be omitted when an answer is too long (RFC 2181 §9). */
  readonly additionalAt: number
  readonly rcode: number
  /** An extended error that goes with it, or -1. */
  readonly extended: number
}

/**
 * An upstream's answer as it is stored. TTLs above `ttlMax` seconds are lowered to it; impossible TTLs become
 * 0 (RFC 2181 §8).
 */
export function answerOf(message: Message, ttlMax: number): Answer {
  const kept = keptRecords(message)
  const end = kept.at(-1)?.end ?? message.questionEnd
  const wire = Buffer.allocUnsafeSlow(end)
  message.bytes.copy(wire, 0, 0, end)
  wire[2] = flag.QR | (wire[2]! & flag.RD)
  // An Rcode that needs an OPT record is not passed on to clients.
  const rcode = message.rcode > flag2.rcode ? Rcode.SERVFAIL : message.rcode
  wire[3] = flag2.RA | (wire[3]! & (flag2.AD | flag2.CD)) | rcode
  wire.writeUInt16BE(kept.filter(({ section }) => section === 'additional').length, 10)
  for (const { ttlAt } of kept) {
    const ttl = wire.readUInt32BE(ttlAt)
    wire.writeUInt32BE(ttl > 0x7fffffff ? 0 : Math.min(ttl, ttlMax), ttlAt)
  }
  return {
    wire,
    questionEnd: message.questionEnd,
    ttls: Uint16Array.from(kept, ({ ttlAt }) => ttlAt),
    additionalAt: kept.find(({ section }) => section === 'additional')?.at ?? end,
    rcode,
    extended: -1,
  }
}

/**
 * All records before the OPT record. Servers send it last. Records after it are omitted too: names in them
 * may point behind it, and additional records are optional.
 */
function keptRecords({ records, opt }: Message): readonly RecordPlace[] {
  return opt ? records.slice(0, records.indexOf(opt)) : records
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
  const answers = records.filter(({ section }) => section === 'answer')
  const found = answers.some(record => record.type === type || type === Type.ANY)
  const negative = rcode === Rcode.NXDOMAIN || (rcode === Rcode.NOERROR && !found)
  const ttls = answers.map(({ ttlAt }) => wire.readUInt32BE(ttlAt))
  if (!negative) {
    const authority = records.filter(({ section }) => section === 'authority')
    ttls.push(...authority.map(({ ttlAt }) => wire.readUInt32BE(ttlAt)))
    return { seconds: rcode === Rcode.NOERROR ? Math.min(...ttls) : 0, negative }
  }
  const soa = records.find(record => record.section === 'authority' && record.type === Type.SOA)
  // An SOA has two names of at least a byte each and five numbers (RFC 1035 §3.3.13).
  if (!soa || soa.end - soa.dataAt < 22) return { seconds: 0, negative }
  const lowest = Math.min(wire.readUInt32BE(soa.ttlAt), wire.readUInt32BE(soa.end - 4))
  wire.writeUInt32BE(lowest, soa.ttlAt)
  return { seconds: Math.min(...ttls, lowest), negative }
}
