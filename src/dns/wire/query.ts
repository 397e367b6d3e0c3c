import type { BufferView, Transport } from '../types.ts'
import { Class, flag, headerBytes, maxName, ownUdpSize, plainUdpSize, Rcode, Type } from './constants.ts'
import { lower, skipName } from './name.ts'

/** Results of {@link Query.read} besides an Rcode to answer with. */
export const proceed = 0
export const ignore = -1

/** Bits of a key's last byte: flags that change the answer. */
export const keyFlag = { RD: 1, CD: 2, DO: 4 } as const

/** The shortest record: root name, type, class, TTL, no data. */
export const shortestRecord = 11

/**
 * A query, parsed in place. One object serves all queries one after another, because the hot path must not
 * allocate. Only {@link key} outlives the call. Every length is checked before it is used.
 */
export class Query {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  length = 0
  /** Size of header and question; that of the header alone when the question cannot be read. */
  questionEnd = headerBytes
  /** Size of the name, with its root label. */
  nameLength = 0
  type = 0
  class = 0
  /** True when it has an OPT record: then the answer may have one (RFC 6891 §6.1.1). */
  edns = false
  udpSize = plainUdpSize
  dnssec = false
  #version = 0
  readonly #scratch = Buffer.alloc(maxName + 5)

  /** RD, CD and DO as {@link keyFlag}s. */
  get flags(): number {
    const { bytes, at } = this
    return (bytes[at + 2]! & 1) | ((bytes[at + 3]! & 0x10) >> 3) | (this.dnssec ? keyFlag.DO : 0)
  }

  /** Name in small letters, type, class and flags: equal queries have equal keys. Valid until the next query. */
  keyBytes(): Buffer {
    const scratch = this.#scratch
    const { bytes, at, questionEnd, nameLength } = this
    for (let i = 0; i < 4; i++) scratch[nameLength + i] = bytes[at + questionEnd - 4 + i]!
    scratch[nameLength + 4] = this.flags
    return scratch
  }

  /** The length of {@link keyBytes}. */
  get keyLength(): number {
    return this.nameLength + 5
  }

  /** {@link keyBytes} as one string. */
  key(): string {
    return this.keyBytes().toString('latin1', 0, this.keyLength)
  }

  /** The longest answer that the client takes over this transport. */
  limit(transport: Transport): number {
    if (transport === 'tcp') return 0xffff
    return this.edns ? Math.min(Math.max(this.udpSize, plainUdpSize), ownUdpSize) : plainUdpSize
  }

  /** Returns {@link proceed}, {@link ignore}, or the Rcode to answer with. */
  read({ bytes, at, length }: BufferView): number {
    this.bytes = bytes
    this.at = at
    this.length = length
    this.questionEnd = headerBytes
    this.nameLength = 0
    this.edns = false
    this.dnssec = false
    this.udpSize = plainUdpSize
    this.#version = 0
    if (length < headerBytes || bytes[at + 2]! & flag.QR) return ignore
    if (bytes[at + 2]! & flag.opcode) return Rcode.NOTIMP
    if (bytes[at + 4] !== 0 || bytes[at + 5] !== 1 || !this.#readQuestion()) return Rcode.FORMERR
    return this.#judge()
  }

  #judge(): number {
    const { bytes, at, type } = this
    // Checked before the counts: a well-formed IXFR has an SOA in its authority section (RFC 1995 §3).
    const refused = type === Type.AXFR || type === Type.IXFR || this.class === Class.CH
    const before = u16(bytes, at + 6) + u16(bytes, at + 8)
    const additional = u16(bytes, at + 10)
    if (type === Type.OPT || (before > 0 && !refused)) return Rcode.FORMERR
    if (before + additional === 0) {
      if (this.questionEnd !== this.length) return Rcode.FORMERR
    } else if (!this.#isLoneOpt(before, additional) && !this.#readRecords(before, additional)) {
      return Rcode.FORMERR
    }
    if (this.#version > 0) return Rcode.BADVERS
    return refused ? Rcode.REFUSED : proceed
  }

  /** The only question cannot have pointers: they could lead nowhere but into the header. */
  #readQuestion(): boolean {
    const { bytes } = this
    const scratch = this.#scratch
    const end = this.at + this.length
    let here = this.at + headerBytes
    let length = 0
    for (;;) {
      if (here >= end) return false
      const size = bytes[here++]!
      if (size > 63 || length + size > maxName - 2 || here + size > end) {
        if (size !== 0) return false
      }
      scratch[length++] = size
      if (size === 0) break
      for (const stop = here + size; here < stop; ) scratch[length++] = lower[bytes[here++]!]!
    }
    if (here + 4 > end) return false
    this.nameLength = length
    this.type = (bytes[here]! << 8) | bytes[here + 1]!
    this.class = (bytes[here + 2]! << 8) | bytes[here + 3]!
    this.questionEnd = here + 4 - this.at
    return true
  }

  /** True for one OPT record alone, as in nearly all queries that have records. */
  #isLoneOpt(before: number, additional: number): boolean {
    const { bytes } = this
    const at = this.at + this.questionEnd
    const end = this.at + this.length
    if (before !== 0 || additional !== 1 || at + shortestRecord > end) return false
    if (bytes[at] !== 0 || u16(bytes, at + 1) !== Type.OPT || at + 11 + u16(bytes, at + 9) !== end)
      return false
    return this.#readOpt(bytes, at + 1, end)
  }

  #readRecords(before: number, additional: number): boolean {
    const { at, length } = this
    if ((before + additional) * shortestRecord > length - this.questionEnd) return false
    const message = this.bytes.subarray(at, at + length)
    let here = this.questionEnd
    for (let i = 0; i < before + additional; i++) {
      const owner = here
      here = skipName(message, here, length)
      if (here < 0 || here + 10 > length) return false
      const end = here + 10 + message.readUInt16BE(here + 8)
      if (end > length) return false
      if (message.readUInt16BE(here) === Type.OPT) {
        if (i < before || this.edns || message[owner] !== 0 || !this.#readOpt(message, here, end))
          return false
      }
      here = end
    }
    return here === length
  }

  /**
   * Walks through all sections, whatever they are for, to an OPT record in the last. A query that was
   * rejected before its records were read may have one, and its answer then needs one (RFC 6891 §6.1.1).
   */
  seekOpt(): void {
    const { at, length } = this
    if (this.edns) return
    const message = this.bytes.subarray(at, at + length)
    let here = headerBytes
    for (let i = u16(message, 4); i > 0 && here >= 0; i--) {
      here = skipName(message, here, length)
      if (here >= 0) here += 4
    }
    const before = u16(message, 6) + u16(message, 8)
    const count = before + u16(message, 10)
    for (let i = 0; i < count && here >= 0; i++) {
      const owner = here
      here = skipName(message, here, length)
      if (here < 0 || here + 10 > length) return
      const end = here + 10 + u16(message, here + 8)
      if (end > length) return
      if (i >= before && message[owner] === 0 && u16(message, here) === Type.OPT)
        return void this.#readOpt(message, here, end)
      here = end
    }
  }

  /**
   * RFC 6891 §6.1.2 and .3: the size is in place of the class; extended rcode, version and flags are in place
   * of the TTL.
   */
  #readOpt(message: Buffer, at: number, end: number): boolean {
    this.edns = true
    this.udpSize = u16(message, at + 2)
    this.#version = message[at + 5]!
    this.dnssec = (message[at + 6]! & 0x80) !== 0
    let here = at + 10
    while (here + 4 <= end) here += 4 + u16(message, here + 2)
    return here === end
  }
}

/** `readUInt16BE` without its checks, which cost more than the rest. The caller has checked the bounds. */
function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
