import { XclusterError } from './errors/errors.ts'
import { printable } from './printable.ts'
import { kindOf } from './shape.ts'

/** Bytes that do not decode. `offset` counts from the start of the message that they are part of. */
export class DecodeError extends XclusterError {
  readonly offset: number

  constructor(what: string, offset: number, reason: string) {
    super({ code: 'MALFORMED_BYTES', op: 'decode', target: what, reason: `${reason} at offset ${offset}` })
    this.offset = offset
  }
}

/** A value that does not fit its bytes. `place` says which one in a structured value: `nextHops.hops`. */
export class EncodeError extends XclusterError {
  readonly place: string

  constructor(place: string, reason: string) {
    super({ code: 'VALUE_RANGE', kind: 'usage', op: 'encode', target: place, reason })
    this.place = place
  }

  /** The same error about a part of a larger value. */
  static in(place: string, thrown: unknown): unknown {
    if (!(thrown instanceof EncodeError)) return thrown
    return new EncodeError(thrown.place ? `${place}.${thrown.place}` : place, thrown.reason)
  }
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/**
 * Reads integers from a window of a message. They are in host byte order, which is little-endian on every
 * supported machine. Every read checks the length first; one that is too short throws {@link DecodeError}
 * with the offset in the message.
 */
export class Reader {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.end - this.offset
  }

  /** Moves past `length` bytes and returns the offset they start at. */
  skip(length: number, what: string): number {
    if (length < 0 || length > this.left)
      throw new DecodeError(what, this.offset, `needs ${length} bytes, ${this.left} left`)
    const start = this.offset
    this.offset += length
    return start
  }

  u8(what = 'u8'): number {
    return this.#view.getUint8(this.skip(1, what))
  }
  u16(what = 'u16', littleEndian = true): number {
    return this.#view.getUint16(this.skip(2, what), littleEndian)
  }
  u32(what = 'u32', littleEndian = true): number {
    return this.#view.getUint32(this.skip(4, what), littleEndian)
  }
  i32(what = 'i32'): number {
    return this.#view.getInt32(this.skip(4, what), true)
  }
  u64(what = 'u64', littleEndian = true): bigint {
    return this.#view.getBigUint64(this.skip(8, what), littleEndian)
  }

  /** A copy of the next `length` bytes: it stays valid when the receive buffer is used again. */
  take(length: number, what = 'bytes'): Uint8Array {
    const start = this.skip(length, what)
    return this.bytes.slice(start, start + length)
  }

  /** A reader of the next `length` bytes alone, with offsets that still count from the message's start. */
  window(length: number, what: string): Reader {
    const start = this.skip(length, what)
    return new Reader(this.bytes, start, start + length)
  }

  /** The rest of the window as text, up to the first NUL. */
  text(): string {
    const start = this.skip(this.left, 'text')
    const nul = this.bytes.subarray(0, this.end).indexOf(0, start)
    return decoder.decode(this.bytes.subarray(start, nul < 0 ? this.end : nul))
  }
}

/**
 * Writes integers in host byte order into a buffer that grows. One that its bytes cannot hold throws {@link
 * EncodeError}: a DataView would write its last bits.
 */
export class Writer {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  /** Appends `count` zero bytes and returns the offset at which they start. */
  reserve(count: number): number {
    const start = this.#length
    const length = start + count
    if (length > this.#bytes.length) this.#grow(length)
    this.#length = length
    return start
  }

  u8(value: number): void {
    if (typeof value !== 'number' || value >>> 0 !== value || value > 0xff) throw notAnInteger(value, 0, 0xff)
    const at = this.reserve(1)
    this.#view.setUint8(at, value)
  }
  u16(value: number, littleEndian = true): void {
    if (typeof value !== 'number' || value >>> 0 !== value || value > 0xffff)
      throw notAnInteger(value, 0, 0xffff)
    const at = this.reserve(2)
    this.#view.setUint16(at, value, littleEndian)
  }
  u32(value: number, littleEndian = true): void {
    if (typeof value !== 'number' || value >>> 0 !== value) throw notAnInteger(value, 0, 0xffffffff)
    const at = this.reserve(4)
    this.#view.setUint32(at, value, littleEndian)
  }
  i32(value: number, littleEndian = true): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw notAnInteger(value, -0x80000000, 0x7fffffff)
    const at = this.reserve(4)
    this.#view.setInt32(at, value, littleEndian)
  }
  u64(value: bigint, littleEndian = true): void {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value)
      throw new EncodeError('', rangeText(value, 0n, 2n ** 64n - 1n))
    const at = this.reserve(8)
    this.#view.setBigUint64(at, value, littleEndian)
  }

  put(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array))
      throw new EncodeError('', `${kindOf(bytes)} is not bytes (a Uint8Array)`)
    const at = this.reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Appends text as UTF-8, without a NUL. */
  text(value: string): void {
    if (typeof value !== 'string') throw new EncodeError('', `${kindOf(value)} is not a string`)
    const at = this.reserve(value.length)
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = at
        this.put(encoder.encode(value))
        return
      }
      this.#bytes[at + i] = code
    }
  }

  /** Appends zero bytes up to the next multiple of `boundary`. */
  align(boundary: number): void {
    this.reserve((boundary - (this.#length % boundary)) % boundary)
  }

  /** Overwrites earlier bytes: for a length that is known only when what follows it is written. */
  patchU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true)
  }
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true)
  }

  /** Everything written so far, as a view that is valid until the next write. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(atLeast: number): void {
    const bytes = new Uint8Array(Math.max(atLeast, this.#bytes.length * 2))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

function notAnInteger(value: unknown, least: number, most: number): EncodeError {
  return new EncodeError('', rangeText(value, least, most))
}

/** What every number that does not fit its field is told: `300 is not an integer from 0 to 255`. */
export function rangeText(value: unknown, least: number | bigint, most: number | bigint): string {
  const integer = typeof most === 'bigint' ? 'a bigint' : 'an integer'
  return `${shown(value, typeof most)} is not ${integer} from ${least} to ${most}`
}

function shown(value: unknown, wanted: string): string {
  if (typeof value === 'bigint') return wanted === 'bigint' ? `${value}` : `${value}n`
  if (typeof value === 'string') return `'${printable(value, 40)}'`
  return typeof value === 'number' || value === undefined ? `${value}` : kindOf(value)
}
