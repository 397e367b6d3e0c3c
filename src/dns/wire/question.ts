import { writeOpt } from './answer-writer.ts'
import { emptyOpt, flag, flag2, headerBytes } from './constants.ts'
import { keyFlag } from './query.ts'

/** A question for an upstream, from the cache's key. */
export interface Question {
  readonly key: string
  /** The same in bytes: the question's, then those flags. */
  readonly keyBytes: Buffer
  /** Name in small letters, type and class, in wire format. */
  readonly bytes: Buffer
  /** Of these bytes. */
  readonly length: number
  /** {@link keyFlag}s. */
  readonly flags: number
}

class KeyQuestion implements Question {
  readonly key: string
  #bytes: Buffer | undefined

  constructor(key: string) {
    this.key = key
  }

  get keyBytes(): Buffer {
    this.#bytes ??= Buffer.from(this.key, 'latin1')
    return this.#bytes
  }

  get flags(): number {
    return this.key.charCodeAt(this.key.length - 1)
  }

  get bytes(): Buffer {
    return this.keyBytes.subarray(0, -1)
  }

  get length(): number {
    return this.key.length - 1
  }
}

export function questionOf(key: string): Question {
  return new KeyQuestion(key)
}

/** The key of a question made here. */
export function keyOf(name: Uint8Array, type: number, flags: number = keyFlag.RD): string {
  const tail = [type >> 8, type & 0xff, 0, 1, flags]
  return Buffer.from([...name, ...tail]).toString('latin1')
}

/** How the question is sent. */
export interface Asking {
  readonly id: number
  readonly edns: boolean
  /** Requests the AD bit. */
  readonly ad: boolean
  /** Bits that choose the letters written as capitals: 0x20 (draft-vixie-dnsext-dns0x20); undefined for none. */
  readonly capitals: Buffer | undefined
}

/** The bytes of a query to an upstream. It is written anew: nothing of the client's message is passed on. */
export function writeQuestion({ key, length, flags }: Question, { id, edns, ad, capitals }: Asking): Buffer {
  const end = headerBytes + length
  // From Node's pool: memory of its own costs more than all the rest.
  const wire = Buffer.allocUnsafe(end + (edns ? emptyOpt : 0))
  wire[0] = id >> 8
  wire[1] = id & 0xff
  wire[2] = flags & keyFlag.RD ? flag.RD : 0
  wire[3] = (flags & keyFlag.CD ? flag2.CD : 0) | (ad ? flag2.AD : 0)
  for (let i = 4; i < headerBytes; i++) wire[i] = 0
  wire[5] = 1
  for (let i = 0; i < length; i++) wire[headerBytes + i] = key.charCodeAt(i)
  if (capitals) capitalize(wire.subarray(headerBytes, end - 4), capitals)
  if (edns) {
    wire[11] = 1
    writeOpt(wire, end, { dnssec: (flags & keyFlag.DO) !== 0, extended: -1 })
  }
  return wire
}

function capitalize(name: Buffer, bits: Buffer): void {
  for (const [i, byte] of name.entries())
    if (byte >= 0x61 && byte <= 0x7a && (bits[i >> 3]! >> (i & 7)) & 1) name[i] = byte - 0x20
}

/**
 * How an answer matches a query: `match`; `case`, except for letter case; `bare`, an answer without the
 * question; or `other`.
 */
export type Likeness = 'match' | 'case' | 'bare' | 'other'

/** Compares id, QR, opcode and question with its name, type and class. The socket checks the port. */
export function compare(sent: Buffer, got: Buffer, questionLength: number): Likeness {
  if (got.length < headerBytes || got[0] !== sent[0] || got[1] !== sent[1]) return 'other'
  if ((got[2]! & (flag.QR | flag.opcode)) !== flag.QR) return 'other'
  // A server that could not read the question, or refuses it, may omit it. Only an OPT record remains (nsd
  // does so).
  if (got.readUIntBE(4, 6) === 0 && got[3]! & flag2.rcode) return 'bare'
  const end = headerBytes + questionLength
  if (got.readUInt16BE(4) !== 1 || got.length < end) return 'other'
  if (sent.compare(got, headerBytes, end, headerBytes, end) === 0) return 'match'
  return sameQuestion(sent.subarray(headerBytes, end), got.subarray(headerBytes, end)) ? 'case' : 'other'
}

function sameQuestion(a: Buffer, b: Buffer): boolean {
  return a.every((byte, i) => {
    const other = b[i]!
    if (byte === other) return true
    const letter = byte | 0x20
    return i < a.length - 4 && letter >= 0x61 && letter <= 0x7a && letter === (other | 0x20)
  })
}
