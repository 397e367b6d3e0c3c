import type { Answered, BufferView } from '../types.ts'
import { flag, flag2, headerBytes } from '../wire/constants.ts'
import { classText, rcodeText, typeText } from '../wire/mnemonics.ts'
import { Query } from '../wire/query.ts'
import { rcodeOf } from '../wire/rcode.ts'

/** The longest line: a name has at most 255 bytes, each written with up to four characters. */
export const longestLine = 1400

const flags = [
  ['qr', flag.QR << 8],
  ['aa', flag.AA << 8],
  ['tc', flag.TC << 8],
  ['rd', flag.RD << 8],
  ['ra', flag2.RA],
  ['ad', flag2.AD],
  ['cd', flag2.CD],
] as const

/**
 * Writes lines of CoreDNS's common format, byte by byte into a buffer. Made of strings, a line would cost more than an
 * answer.
 *
 *     [INFO] 127.0.0.1:4711 - 29008 "A IN example.org. udp 41 false 4096" NOERROR qr,rd,ra 68 0.037990251s
 */
export class LineWriter {
  readonly #query = new Query()
  readonly #part: BufferView = { bytes: Buffer.alloc(0), at: 0, length: 0 }
  readonly #flagTexts = new Map<number, string>()
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  /** Returns the offset after the line. {@link longestLine} bytes must be free at `at`. */
  write({ query, answer, asker, ms }: Answered, bytes: Buffer, at: number): number {
    const { address } = asker
    const six = address.includes(':')
    this.#bytes = bytes
    this.#at = at
    this.#text(six ? '[INFO] [' : '[INFO] ')
    this.#text(address)
    this.#text(six ? ']:' : ':')
    this.#number(asker.port)
    this.#text(' - ')
    this.#number((query[0]! << 8) | query[1]!)
    this.#question(query, asker.transport)
    this.#text(rcodeText(rcodeOf(answer)))
    this.#text(' ')
    this.#text(this.#flags(answer))
    this.#text(' ')
    this.#number(answer.length)
    this.#text(' ')
    this.#seconds(ms)
    this.#text('s\n')
    return this.#at
  }

  #question(query: Uint8Array, transport: string): void {
    const part = this.#part
    part.bytes = query as Buffer
    part.length = query.length
    const read = this.#query
    read.read(part)
    const known = read.nameLength > 0
    this.#text(' "')
    this.#text(known ? typeText(read.type) : '-')
    this.#text(' ')
    this.#text(known ? classText(read.class) : '-')
    this.#text(' ')
    this.#name(query, known ? headerBytes : query.length)
    this.#text(transport === 'udp' ? ' udp ' : ' tcp ')
    this.#number(query.length)
    this.#text(read.dnssec ? ' true ' : ' false ')
    this.#number(read.udpSize)
    this.#text('" ')
  }

  /** In lower case. Characters that would be ambiguous or break the line are escaped as in zone files. */
  #name(query: Uint8Array, from: number): void {
    const bytes = this.#bytes
    let to = this.#at
    let at = from
    for (let size = query[at++] ?? 0; size > 0; size = query[at++]!) {
      for (const stop = at + size; at < stop; at++) {
        const byte = query[at]!
        if (byte >= 0x41 && byte <= 0x5a) bytes[to++] = byte + 0x20
        else if (byte <= 0x20 || byte >= 0x7f) to = escaped(byte, bytes, to)
        else {
          if (byte === 0x2e || byte === 0x5c || byte === 0x22) bytes[to++] = 0x5c
          bytes[to++] = byte
        }
      }
      bytes[to++] = 0x2e
    }
    if (to === this.#at) bytes[to++] = 0x2e
    this.#at = to
  }

  #flags(answer: Uint8Array): string {
    const set = (answer[2]! << 8) | (answer[3]! & 0xf0)
    let text = this.#flagTexts.get(set)
    if (text === undefined) {
      text = flags.flatMap(([name, bit]) => (set & bit ? [name] : [])).join(',')
      this.#flagTexts.set(set, text)
    }
    return text
  }

  #text(text: string): void {
    const bytes = this.#bytes
    let to = this.#at
    for (let i = 0; i < text.length; i++) bytes[to++] = text.charCodeAt(i)
    this.#at = to
  }

  #number(value: number): void {
    const bytes = this.#bytes
    let end = this.#at + 1
    for (let bound = 10; value >= bound; bound *= 10) end++
    let left = value
    for (let to = end; to > this.#at; left = (left / 10) | 0) bytes[--to] = 0x30 + (left % 10)
    this.#at = end
  }

  /** In CoreDNS's format: `0.037990251`. */
  #seconds(ms: number): void {
    if (ms === 0) this.#text('0')
    else this.#text((ms / 1000).toFixed(9))
  }
}

function escaped(byte: number, bytes: Buffer, at: number): number {
  bytes[at] = 0x5c
  bytes[at + 1] = 0x30 + ((byte / 100) | 0)
  bytes[at + 2] = 0x30 + (((byte / 10) | 0) % 10)
  bytes[at + 3] = 0x30 + (byte % 10)
  return at + 4
}
