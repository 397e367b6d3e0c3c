import { addressBytes, isAddress } from '../../base/index.ts'
import { Type } from '../wire/constants.ts'
import { lower, nameBytes, nameKey } from '../wire/name.ts'
import { parseAddress } from './hosts-address.ts'
import { HostsTable, type Span } from './hosts-table.ts'

/** The most bad lines that are reported one by one. */
const mostReported = 5
/** A longer line is a bad one. */
const longestLine = 65_536
const [newline, hash, star, dot, backslash] = [0x0a, 0x23, 0x2a, 0x2e, 0x5c]

/** Some bytes that change. */
interface Room extends Span {
  readonly bytes: Uint8Array
  length: number
}

/**
 * Reads the format of hosts(5): lines of `address name alias…`, in pieces as they come from a file. Other
 * lines are skipped and reported. It works on bytes: a string for each line costs more than all the rest.
 */
export class HostsParser {
  readonly table: HostsTable
  #line = 0
  #bad = 0
  readonly #reports: string[] = []
  /** The beginning of a line whose end is still to come; undefined when it is too long already. */
  #begun: Buffer | undefined = Buffer.alloc(0)
  readonly #address: Room = { bytes: new Uint8Array(16), length: 0 }
  readonly #name: Room = { bytes: new Uint8Array(256), length: 0 }

  /** `size`: the number of bytes to expect; `spare`: a table whose memory may be used. */
  constructor(size: number, spare?: HostsTable) {
    this.table = new HostsTable(size, spare)
  }

  push(piece: Buffer): void {
    let at = 0
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, at)) {
      this.#endLine(piece.subarray(at, end))
      at = end + 1
    }
    this.#keep(piece.subarray(at))
  }

  /** The last line may have no end. */
  end(): void {
    if (this.#begun === undefined || this.#begun.length > 0) this.#endLine(Buffer.alloc(0))
  }

  /** Sentences about lines that could not be read: the first few, and how many more. */
  get badLines(): string[] {
    const more = this.#bad - mostReported
    return more > 0 ? [...this.#reports, `and ${more} more lines`] : this.#reports
  }

  #keep(rest: Buffer): void {
    if (this.#begun === undefined || rest.length === 0) return
    if (this.#begun.length + rest.length > longestLine) this.#begun = undefined
    else this.#begun = Buffer.concat([this.#begun, rest])
  }

  #endLine(rest: Buffer): void {
    this.#line++
    if (this.#begun?.length === 0 && rest.length <= longestLine) this.#read(rest)
    else {
      this.#keep(rest)
      const line = this.#begun
      if (line === undefined || line.length > longestLine)
        this.#report(`it has more than ${longestLine} bytes`)
      else this.#read(line)
    }
    this.#begun = Buffer.alloc(0)
  }

  #read(line: Buffer): void {
    const comment = line.indexOf(hash)
    const end = comment < 0 ? line.length : comment
    const at = skipBlank(line, 0, end)
    if (at >= end) return
    const stop = skipWord(line, at, end)
    const first = skipBlank(line, stop, end)
    const text = () => printable(line.subarray(at, stop))
    if (!this.#readAddress(line, at, stop)) this.#report(`'${text()}' is not an IP address`)
    else if (first >= end) this.#report(`${text()} has no name`)
    else if (this.#checkNames(line, first, end)) this.#addNames(line, first, end)
  }

  /** All names, before any is used: a line is good or bad. */
  #checkNames(line: Buffer, first: number, end: number): boolean {
    for (let at = first, stop = at; at < end; at = skipBlank(line, stop, end)) {
      stop = skipWord(line, at, end)
      if (this.#readName(line, at, stop)) continue
      this.#report(`'${printable(line.subarray(at, stop))}' is not a valid name`)
      return false
    }
    return true
  }

  #addNames(line: Buffer, first: number, end: number): void {
    for (let at = first, stop = at; at < end; at = skipBlank(line, stop, end)) {
      stop = skipWord(line, at, end)
      // A line with one name has just been read.
      if (at !== first || stop < end) this.#readName(line, at, stop)
      this.#add(line[at] === star && line[at + 1] === dot)
    }
  }

  #report(reason: string): void {
    if (++this.#bad <= mostReported) this.#reports.push(`line ${this.#line}: ${reason}`)
  }

  #readAddress(line: Buffer, from: number, to: number): boolean {
    const length = parseAddress(line, { from, to }, this.#address.bytes)
    if (length > 0) {
      this.#address.length = length
      return true
    }
    const text = line.toString('latin1', from, to)
    if (!isAddress(text)) return false
    const bytes = addressBytes(text)
    this.#address.bytes.set(bytes)
    this.#address.length = bytes.length
    return true
  }

  /** Writes the name in wire format and small letters, without the star. False when it is not valid. */
  #readName(line: Buffer, from: number, to: number): boolean {
    const { bytes } = this.#name
    const start = line[from] === star && line[from + 1] === dot ? from + 2 : from
    let label = 0
    let length = 1
    for (let at = start; at < to; at++) {
      const byte = line[at]!
      if (byte === backslash || length > 250) return this.#readOddName(line, start, to)
      if (byte <= 0x20 || byte >= 0x7f) return false
      if (byte !== dot) bytes[length++] = lower[byte]!
      else if (at + 1 < to) {
        bytes[label] = length - label - 1
        if (length - label - 1 === 0 || length - label > 64) return false
        label = length++
      }
    }
    bytes[label] = length - label - 1
    if (length - label - 1 === 0 || length - label > 64) return this.#readOddName(line, start, to)
    bytes[length++] = 0
    this.#name.length = length
    return true
  }

  /** A name with escapes, a very long one, or the root. */
  #readOddName(line: Buffer, from: number, to: number): boolean {
    const text = line.toString('latin1', from, to)
    const bytes = nameBytes(text)
    if (!bytes || !/^[!-~]+$/.test(text)) return false
    for (const [i, byte] of bytes.entries()) this.#name.bytes[i] = lower[byte]!
    this.#name.length = bytes.length
    return true
  }

  #add(wild: boolean): void {
    if (!wild) {
      this.table.add(this.#name, this.#address)
      return
    }
    const key = nameKey(this.#name.bytes.subarray(0, this.#name.length))
    const data = this.#address.bytes.slice(0, this.#address.length)
    const record = { type: data.length === 4 ? Type.A : Type.AAAA, data }
    this.table.wild.set(key, [...(this.table.wild.get(key) ?? []), record])
  }
}

/** Blank and control characters separate words, as `\s` does for ASCII. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function skipBlank(line: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && isBlank(line[at]!)) at++
  return at
}

function skipWord(line: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && !isBlank(line[at]!)) at++
  return at
}

/** Text from a file is shown short, and without control characters that move a terminal's cursor. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8', 0, 240)
    .slice(0, 60)
    .replace(/[^ -~]/g, '?')
}
