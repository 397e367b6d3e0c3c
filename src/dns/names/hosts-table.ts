import { randomInt } from 'node:crypto'
import { Type } from '../wire/constants.ts'
import type { OwnRecord } from '../wire/local-answer.ts'
import { ancestry } from '../wire/name.ts'
import { ReversePrefixes, reversed } from './reverse-prefixes.ts'

/** Some bytes of a larger array. */
export interface Span {
  readonly bytes: Uint8Array
  readonly length: number
}

/** The most addresses of one name: as many as a message holds. */
const mostAddresses = 2000
/** The bytes of a short line with its end, and of a usual one. */
const [shortLine, usualLine] = [10, 20]

/** Keys of domains that may be special, see special.ts. */
const specialEnds = ['\x04arpa\0', '\x09localhost\0', '\x07invalid\0', '\x05onion\0']

/**
 * The names of a hosts file, in bytes outside JavaScript's heap: each entry is a name in small letters and an
 * address, 60 bytes in all. Two tables of open addressing find entries by name and by address.
 */
export class HostsTable {
  /** By the key of `*.domain` without the star. */
  readonly wild = new Map<string, OwnRecord[]>()
  #count = 0
  /** Of each entry: length and bytes of the name, length and bytes of the address. */
  #bytes: Uint8Array
  #end = 0
  /** Of each entry, by its number: where it is, and the next entry of the same name plus one. */
  #at: Uint32Array
  #next: Uint32Array
  /** Numbers plus one of the first entry of each name, and of each address. */
  #byName: Uint32Array
  #byAddress: Uint32Array
  readonly #seed = randomInt(0x1_0000_0000)
  readonly #reverse = new ReversePrefixes()
  /** Names of the special domains that have names below them. */
  readonly #specialParents = new Set<string>()

  /**
   * `size`: of the file, in bytes. Memory that is not written to costs nothing. `spare`: a table that is not
   * in use any more. Its memory is used again when it suffices: the garbage collector frees it late.
   */
  constructor(size: number, spare?: HostsTable) {
    const most = Math.ceil(size / shortLine) + 16
    const places = 2 ** Math.ceil(Math.log2(Math.max(size / usualLine, 16) * 1.5))
    const suits = spare && spare.#bytes.length >= size && spare.#at.length >= most
    this.#bytes = suits ? spare.#bytes : new Uint8Array(size + 1024)
    this.#at = suits ? spare.#at : new Uint32Array(most)
    this.#next = suits ? spare.#next : new Uint32Array(most)
    const fits = suits && spare.#byName.length >= places
    this.#byName = fits ? spare.#byName.fill(0) : new Uint32Array(places)
    this.#byAddress = fits ? spare.#byAddress.fill(0) : new Uint32Array(places)
  }

  /** Adds an address to a name, which is in wire format and small letters. */
  add(name: Span, address: Span): void {
    this.#reserve(name.length + address.length + 2)
    const place = this.#place(this.#byName, name, 0)
    const first = this.#byName[place]!
    const last = first === 0 ? 0 : this.#lastOf(first, address)
    if (last < 0) return
    const entry = this.#append(name, address)
    if (last > 0) this.#next[last - 1] = entry + 1
    else {
      this.#byName[place] = entry + 1
      this.#noteSpecial(name)
    }
    const reverse = this.#place(this.#byAddress, address, 1)
    if (this.#byAddress[reverse] !== 0) return
    this.#byAddress[reverse] = entry + 1
    this.#reverse.add(address.bytes.subarray(0, address.length))
  }

  /** The addresses of a name, or the name of an address (PTR). Undefined when there is none. */
  records(key: string): OwnRecord[] | undefined {
    const name = spanOf(Buffer.from(key, 'latin1'))
    const found: OwnRecord[] = []
    let entry = this.#byName[this.#place(this.#byName, name, 0)]!
    for (; entry > 0; entry = this.#next[entry - 1]!) found.push(this.#addressOf(entry - 1))
    const address = reversed(key)
    const pointer = address && this.#byAddress[this.#place(this.#byAddress, spanOf(address), 1)]!
    if (pointer) found.push({ type: Type.PTR, data: this.#nameOf(pointer - 1) })
    return found.length > 0 ? found : undefined
  }

  /** True when there are names below this one, which has no records itself. */
  hasBelow(key: string): boolean {
    if (this.#reverse.has(key) || this.#specialParents.has(key)) return true
    if (specialEnds.some(end => key.endsWith(end))) return false
    const wanted = Buffer.from(key, 'latin1')
    for (let entry = 0; entry < this.#count; entry++) {
      const length = this.#bytes[this.#at[entry]!]!
      if (length <= wanted.length) continue
      const from = this.#at[entry]! + 1 + length - wanted.length
      if (!this.#has(from, wanted, wanted.length)) continue
      if (isLabelStart(this.#nameOf(entry), length - wanted.length)) return true
    }
    return false
  }

  #append(name: Span, address: Span): number {
    const entry = this.#count++
    this.#at[entry] = this.#end
    this.#next[entry] = 0
    for (const { bytes, length } of [name, address]) {
      this.#bytes[this.#end++] = length
      for (let i = 0; i < length; i++) this.#bytes[this.#end++] = bytes[i]!
    }
    return entry
  }

  /** The last entry of a name, plus one; -1 when it has the address, or too many of them. */
  #lastOf(first: number, address: Span): number {
    let entry = first
    for (let count = 1; count < mostAddresses; count++) {
      const at = this.#addressAt(entry - 1)
      if (this.#bytes[at] === address.length && this.#has(at + 1, address.bytes, address.length)) return -1
      if (this.#next[entry - 1] === 0) return entry
      entry = this.#next[entry - 1]!
    }
    return -1
  }

  /** The place of a key in a table, or the free one where it would be. `part`: 0 for names, 1 for addresses. */
  #place(table: Uint32Array, { bytes, length }: Span, part: 0 | 1): number {
    const mask = table.length - 1
    for (let place = this.#hash(bytes, 0, length) & mask; ; place = (place + 1) & mask) {
      const entry = table[place]!
      if (entry === 0) return place
      const at = part === 0 ? this.#at[entry - 1]! : this.#addressAt(entry - 1)
      if (this.#bytes[at] === length && this.#has(at + 1, bytes, length)) return place
    }
  }

  #hash(bytes: Uint8Array, from: number, length: number): number {
    let hash = this.#seed | 0
    for (let i = from; i < from + length; i++) {
      hash = Math.imul(hash ^ bytes[i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return hash >>> 0
  }

  #has(at: number, wanted: Uint8Array, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#bytes[at + i] !== wanted[i]) return false
    return true
  }

  #addressAt(entry: number): number {
    const at = this.#at[entry]!
    return at + 1 + this.#bytes[at]!
  }

  #addressOf(entry: number): OwnRecord {
    const at = this.#addressAt(entry)
    const data = this.#bytes.subarray(at + 1, at + 1 + this.#bytes[at]!)
    return { type: data.length === 4 ? Type.A : Type.AAAA, data }
  }

  #nameOf(entry: number): Uint8Array {
    const at = this.#at[entry]!
    return this.#bytes.subarray(at + 1, at + 1 + this.#bytes[at]!)
  }

  #noteSpecial({ bytes, length }: Span): void {
    // The last label's length and first letter are enough to pass over nearly all names.
    if (bytes[length - 1] !== 0 || !mayBeSpecial(bytes, length)) return
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
    if (!specialEnds.some(end => key.endsWith(end))) return
    for (const ancestor of ancestry(key)) if (ancestor !== key) this.#specialParents.add(ancestor)
  }

  /** Makes room for an entry. What a file of this size usually has, has room from the beginning. */
  #reserve(bytes: number): void {
    if (this.#end + bytes > this.#bytes.length) {
      const more = new Uint8Array(this.#bytes.length * 2)
      more.set(this.#bytes)
      this.#bytes = more
    }
    if (this.#count >= this.#at.length) {
      this.#at = doubled(this.#at)
      this.#next = doubled(this.#next)
    }
    if (this.#count * 4 >= this.#byName.length * 3) this.#rehash()
  }

  #rehash(): void {
    const old = [this.#byName, this.#byAddress]
    const [byName, byAddress] = old.map(({ length }) => new Uint32Array(length * 2)) as [
      Uint32Array,
      Uint32Array,
    ]
    for (const [part, table] of [byName, byAddress].entries()) {
      const mask = table.length - 1
      for (const entry of old[part]!) {
        if (entry === 0) continue
        const at = part === 0 ? this.#at[entry - 1]! : this.#addressAt(entry - 1)
        let place = this.#hash(this.#bytes, at + 1, this.#bytes[at]!) & mask
        while (table[place] !== 0) place = (place + 1) & mask
        table[place] = entry
      }
    }
    this.#byName = byName
    this.#byAddress = byAddress
  }
}

function mayBeSpecial(bytes: Uint8Array, length: number): boolean {
  return specialEnds.some(
    end =>
      length >= end.length &&
      bytes[length - end.length] === end.charCodeAt(0) &&
      bytes[length - end.length + 1] === end.charCodeAt(1),
  )
}

const spanOf = (bytes: Uint8Array): Span => ({ bytes, length: bytes.length })

function isLabelStart(name: Uint8Array, offset: number): boolean {
  let at = 0
  while (at < offset) at += name[at]! + 1
  return at === offset
}

function doubled(array: Uint32Array): Uint32Array {
  const more = new Uint32Array(array.length * 2)
  more.set(array)
  return more
}
