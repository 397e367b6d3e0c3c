import { shape, taken } from '../../base/index.ts'
import { badValue } from '../errors.ts'
import { compare, type Span, type ValueType } from '../values.ts'

export interface Range<T> {
  readonly from: T
  readonly to: T
}

export interface Bits<T> {
  readonly bits: readonly T[]
  readonly mask: readonly T[]
}

export interface SetRef {
  readonly set: string
}

/** All values from `from` to `to`, both included. `tcp dport 1-1023` */
export function range<T>(from: T, to: T): Range<T> {
  return { from, to }
}

/** Of the bits in `mask`, those in `value` are set and the others are clear. `tcp flags syn / syn,ack` */
export function bits<T>(value: T | readonly T[], mask: T | readonly T[]): Bits<T> {
  return { bits: [value].flat() as T[], mask: [mask].flat() as T[] }
}

/** Any value in a set of the same table. `ip saddr @blocked` */
export function inSet(set: string): SetRef {
  taken('look up in set', set, shape.called('set', shape.text))
  return { set }
}

/** A value that a field can be matched with. */
export type Value<T> = T | Range<T> | Bits<T> | SetRef

export const isSet = (value: unknown): value is SetRef =>
  typeof value === 'object' && value !== null && 'set' in value
const isRange = (value: unknown): value is Range<unknown> =>
  typeof value === 'object' && value !== null && 'from' in value
const isBits = (value: unknown): value is Bits<unknown> =>
  typeof value === 'object' && value !== null && 'bits' in value && areBits(value as Bits<unknown>)

const areBits = ({ bits, mask }: Bits<unknown>) => Array.isArray(bits) && Array.isArray(mask)

/** The bytes of a value, with its mask if it has one. */
export function spanOf<T>(type: ValueType<T>, value: T | Range<T> | Bits<T>): Span {
  if (isBits(value)) {
    const [from, mask] = [allBits(type, value.bits as T[]), allBits(type, value.mask as T[])]
    if (from.some((byte, at) => byte & ~mask[at]!)) throw badValue(type.name, 'bits outside their mask')
    return { from, to: from, mask }
  }
  if (!isRange(value)) return type.span(value as T)
  const [from, to] = [type.span(value.from as T).from, type.span(value.to as T).to]
  if (type.name === 'ifname')
    throw badValue(type.name, 'interface names have no order, so they have no ranges')
  if (compare(turned(type, from), turned(type, to)) > 0)
    throw badValue(type.name, `the range ${value.from} to ${value.to} is empty`)
  return { from, to }
}

/** The bits of several values combined. */
export function allBits<T>(type: ValueType<T>, values: readonly T[]): Uint8Array {
  const bytes = new Uint8Array(type.length)
  for (const value of values) for (const [at, byte] of type.span(value).from.entries()) bytes[at]! |= byte
  return bytes
}

/** The value in network byte order, each part for itself. */
export function turned(type: ValueType<unknown>, bytes: Uint8Array): Uint8Array {
  if (!type.parts) return turns(type) ? bytes.slice().reverse() : bytes
  const all = bytes.slice()
  let at = 0
  for (const part of type.parts) {
    if (turns(part)) all.subarray(at, at + part.length).reverse()
    at += padded(part.length)
  }
  return all
}

/** True for numbers in host order. */
export const turns = ({ host, name, length }: ValueType<unknown>): boolean =>
  host === true && name !== 'ifname' && length > 1

/** Each part of a concatenation takes whole registers of four bytes. */
export const padded = (length: number): number => (length + 3) & ~3

export const isWide = ({ from, to }: Span): boolean => compare(from, to) !== 0

/** nft's spelling, for error messages. */
export function valueText(value: unknown): string {
  if (isSet(value)) return `@${value.set}`
  if (isBits(value)) return `${value.bits.join(',')} / ${value.mask.join(',')}`
  return isRange(value) ? `${value.from}-${value.to}` : `${value}`
}
