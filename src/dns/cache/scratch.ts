import type { Answer } from '../wire/answer.ts'
import { headerBytes } from '../wire/constants.ts'
import type { Blocks } from './blocks.ts'
import type { Slots } from './slots.ts'

/** Eleven bytes are the shortest record. */
const [longest, mostRecords] = [0xffff, Math.ceil(0xffff / 11)]
/** RRSIG, NSEC and NSEC3 (RFC 4034 §3, §4, RFC 5155 §3): only for clients that want them. */
const dnssecTypes = [46, 47, 50]

/** Memory for one answer on its way into the blocks, or out of them. */
export class Scratch implements Answer {
  readonly wire: Buffer
  readonly ttls = new Uint16Array(mostRecords)
  length = 0
  questionEnd = 0
  records = 0
  additionalAt = 0
  rcode = 0
  extended = -1
  received = false
  readonly #words: Uint32Array

  constructor() {
    // Whole words, and as many bytes again as all offsets have.
    const memory = new ArrayBuffer((longest + 1 + 2 * mostRecords + 3) & ~3)
    this.wire = Buffer.from(memory)
    this.#words = new Uint32Array(memory)
  }

  /** Stores an answer, with its question in small letters as in the key. Returns its first block. */
  store(blocks: Blocks, { wire, length, ttls, records }: Answer, key: Uint8Array): number {
    const into = this.wire
    wire.copy(into, 0, 0, length)
    for (let i = 0; i < key.length - 1; i++) into[headerBytes + i] = key[i]!
    for (let i = 0; i < records; i++) {
      into[length + 2 * i] = ttls[i]! >> 8
      into[length + 2 * i + 1] = ttls[i]! & 0xff
    }
    return blocks.store(this.#words, length + 2 * records)
  }

  /** Loads the answer in a slot. It is valid until the next call. */
  load(blocks: Blocks, slots: Slots, slot: number): this {
    const length = slots.length[slot]!
    const records = slots.records[slot]!
    blocks.load(slots.first[slot]!, length + 2 * records, this.#words)
    const { wire, ttls } = this
    for (let i = 0, at = length; i < records; i++, at += 2) ttls[i] = (wire[at]! << 8) | wire[at + 1]!
    this.length = length
    this.records = records
    this.questionEnd = slots.questionEnd[slot]!
    this.additionalAt = slots.additionalAt[slot]!
    this.rcode = slots.rcode[slot]!
    this.extended = slots.extended[slot]!
    this.received = slots.received[slot] === 1
    return this
  }

  /** A copy that stays valid. */
  copy(): Answer {
    const { length, questionEnd, records, additionalAt, rcode, extended, received } = this
    const wire = Buffer.from(this.wire.subarray(0, length))
    const ttls = this.ttls.slice(0, records)
    return { wire, length, questionEnd, ttls, records, additionalAt, rcode, extended, received }
  }

  /** True when the loaded answer has records that belong to DNSSEC alone. */
  get hasDnssec(): boolean {
    const { wire, ttls, records } = this
    for (let i = 0; i < records; i++) {
      // The type is four bytes before the TTL.
      if (dnssecTypes.includes((wire[ttls[i]! - 4]! << 8) | wire[ttls[i]! - 3]!)) return true
    }
    return false
  }
}
