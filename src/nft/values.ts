import { addressBytes, addressText, kindOf, macBytes, macText, messageOf, parseCidr } from '../base/index.ts'
import { inRange } from '../netlink/index.ts'
import { badValue } from './errors.ts'

/** All values from one to another, both included. With a mask, the values with these bits. */
export interface Span {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly mask?: Uint8Array
}

/** How values of one kind are stored in a register. */
export interface ValueType<T> {
  /** nft's name for it, as in `type ipv4_addr`. */
  readonly name: string
  /** nft's number for it (include/datatype.h), which the kernel stores with a set. */
  readonly number: number
  readonly length: number
  /** Stored in host order: ranges need a conversion, and sets with intervals of it store them turned. */
  readonly host?: true
  /** A concatenation's types. */
  readonly parts?: readonly ValueType<unknown>[]
  /** The values are bits: several of them are one mask, not a set. */
  readonly bits?: true
  span(this: void, value: T): Span
  show(this: void, bytes: Uint8Array): T
}

const exactly = (bytes: Uint8Array): Span => ({ from: bytes, to: bytes })

export function address(name: string, number: number, length: 4 | 16): ValueType<string> {
  const sample = length === 4 ? '192.168.0.1' : 'fd00::1'
  return {
    name,
    number,
    length,
    show: addressText,
    span(value) {
      if (typeof value !== 'string')
        throw badValue(name, `${kindOf(value)} is not an address, such as ${sample}`)
      const cidr = value.includes('/') ? parsed(name, value, parseCidr) : undefined
      const bytes = parsed(name, cidr?.address ?? value, addressBytes)
      if (bytes.length !== length) throw badValue(name, `'${value}' is an address of the other family`)
      return cidr === undefined ? exactly(bytes) : prefixSpan(bytes, cidr.prefix)
    },
  }
}

/** Bits beyond the prefix are cleared, as nft does. */
function prefixSpan(address: Uint8Array, prefix: number): Span {
  const mask = address.map((_, at) => 0xff & ~(0xff >> Math.max(0, Math.min(8, prefix - 8 * at))))
  const from = address.map((byte, at) => byte & mask[at]!)
  return { from, to: from.map((byte, at) => byte | (0xff & ~mask[at]!)), mask }
}

function parsed<T>(name: string, value: string, parse: (value: string) => T): T {
  try {
    return parse(value)
  } catch (failure) {
    throw badValue(name, messageOf(failure))
  }
}

interface Whole {
  readonly name: string
  readonly number: number
  readonly length: 1 | 2 | 3 | 4
  readonly host?: true
  readonly bits?: true
}

const among = (names: readonly string[]): string =>
  names.length === 0 ? 'not a number' : `neither a number nor one of ${names.join(', ')}`

/** Numbers, and names for some of them. */
export function whole<N extends string = never>(
  about: Whole,
  names: Readonly<Record<string, number>> = {},
): ValueType<number | N> {
  const { name, length, host = false } = about
  return {
    ...about,
    span(value) {
      const number =
        typeof value === 'number' ? value : Object.hasOwn(names, value) ? names[value] : undefined
      if (number === undefined)
        throw badValue(
          name,
          `${typeof value === 'string' ? `'${value}'` : kindOf(value)} is ${among(Object.keys(names))}`,
        )
      inRange({ op: 'build rule', field: name, value: number, least: 0, most: 2 ** (8 * length) - 1 })
      const bytes = Uint8Array.from({ length }, (_, at) => number / 2 ** (8 * (length - 1 - at)))
      return exactly(host ? bytes.reverse() : bytes)
    },
    show: bytes => (host ? bytes.slice().reverse() : bytes).reduce((sum, byte) => sum * 256 + byte, 0),
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** IFNAMSIZ bytes. With `*` at its end it matches all names with that beginning. */
export const interfaceName: ValueType<string> = {
  name: 'ifname',
  number: 41,
  length: 16,
  host: true,
  span(value) {
    if (typeof value !== 'string')
      throw badValue('ifname', `${kindOf(value)} is not the name of an interface`)
    const text = encoder.encode(value)
    if (text.length === 0 || text.length > 15 || /[\s/\0]/.test(value))
      throw badValue('ifname', `'${value}' is not an interface name of 1 to 15 bytes`)
    if (value.length > 1 && value.endsWith('*')) return exactly(text.subarray(0, -1))
    const bytes = new Uint8Array(16)
    bytes.set(text)
    return exactly(bytes)
  },
  show: bytes => decoder.decode(bytes).replace(/\0+$/, ''),
}

export const mac: ValueType<string> = {
  name: 'ether_addr',
  number: 9,
  length: 6,
  span: value => exactly(parsed('ether_addr', value, macBytes)),
  show: macText,
}

/** Compares as big-endian, which is how the kernel orders keys. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

/** A time, as the kernel takes it. Throws NETLINK_ENCODE for what is not a whole number of milliseconds. */
export function milliseconds(name: string, value: number): bigint {
  return BigInt(inRange({ op: 'build set', field: name, value, least: 0, most: Number.MAX_SAFE_INTEGER }))
}
