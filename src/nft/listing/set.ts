import { concatenation, numbersIn, splitBytes } from '../set/concat.ts'
import { type Keys, type Piece, piecesOf } from '../set/elements.ts'
import type { MapData, SetShape } from '../set/shape.ts'
import { padded } from '../set/span.ts'
import { integerOf, rawType, type SetType, typeOfNumber, types } from '../types.ts'
import { attachedTo, setNotes } from '../user-data.ts'
import { compare, type Span, type ValueType } from '../values.ts'
import * as wire from '../wire/index.ts'
import type { Element, ElementKey, NftSet } from './model.ts'
import type { Listed } from './read.ts'

type Attributes = Parameters<typeof wire.setMessage.write>[1]['attributes'] & object
export type SetMessage = Listed<Attributes>

/**
 * The type with nft's number: of one value or of several. `inNetworkOrder` for integers that nft has noted to be
 * stored so.
 */
export function typeOf(number: number, length: number, inNetworkOrder = false): ValueType<unknown> {
  const one = typeOfNumber(number, length)
  if (number === types.integer.number && length > 1 && length <= 4 && (!one || inNetworkOrder))
    return integerOf(length as 2 | 3 | 4, !inNetworkOrder)
  if (one) return one
  const numbers = numbersIn(number)
  const parts = numbers.length > 1 ? partsOf(numbers, length) : undefined
  return parts ? concatenation(parts) : rawType(number, length)
}

/** The types of a concatenation's parts, when their lengths add up to the whole. */
function partsOf(numbers: readonly number[], length: number): ValueType<unknown>[] | undefined {
  const parts = numbers.flatMap(number => {
    const found = [4, 1, 2, 6, 16].map(each => typeOfNumber(number, each)).find(each => each !== undefined)
    return found ? [found] : []
  })
  const sum = parts.reduce((all, part) => all + padded(part.length), 0)
  return parts.length === numbers.length && sum === length ? parts : undefined
}

/** What a set holds, of its message. */
export function shapeOf({ attributes }: SetMessage): SetShape {
  const { flags = 0, keyType = 0, keyLength = 0, userData } = attributes
  return {
    type: typeOf(keyType, keyLength, setNotes(userData).networkOrder),
    interval: (flags & wire.NFT_SET_INTERVAL) !== 0,
    data: dataOf(attributes),
  }
}

function dataOf({
  flags = 0,
  dataType,
  dataLength = 0,
  objectType,
  userData,
}: Attributes): MapData | undefined {
  if (flags & wire.NFT_SET_OBJECT) return objectType as MapData
  if (dataType === undefined) return undefined
  if (dataType === wire.NFT_DATA_VERDICT) return 'verdict'
  return typeOf(dataType, setNotes(userData).ranges ? dataLength / 2 : dataLength)
}

type TypeName = SetType | readonly SetType[] | number

/** The name, or the number of what has none. */
function nameOf(type: ValueType<unknown>): TypeName {
  if (type.parts) return type.parts.map(({ name }) => name as SetType)
  return Object.hasOwn(types, type.name) ? (type.name as SetType) : type.number
}

export function setOf(message: SetMessage, elements: readonly wire.WireElement[]): NftSet {
  const { attributes } = message
  const { name = '', handle = 0n, keyLength = 0, dataLength } = attributes
  const shape = shapeOf(message)
  const { type, interval, data } = shape
  return {
    name,
    handle,
    type: nameOf(type),
    keyLength,
    ...(data !== undefined && { to: typeof data === 'string' ? data : nameOf(data) }),
    ...(data !== undefined && typeof data !== 'string' && { dataLength: dataLength ?? 0 }),
    interval,
    ...(type.name === 'integer' && !type.host && { networkOrder: true as const }),
    ...optionsOf(attributes),
    elements: elementsOf(shape, elements),
  }
}

function optionsOf(attributes: Attributes) {
  const { flags = 0, policy, timeout, gcInterval, description, expression, expressions } = attributes
  const has = (flag: number) => (flags & flag) !== 0
  const { comment, autoMerge, ranges, userData } = setNotes(attributes.userData)
  const each = expressions ?? (expression && [expression])
  return {
    anonymous: has(wire.NFT_SET_ANONYMOUS),
    ...(has(wire.NFT_SET_CONSTANT) && { constant: true as const }),
    ...(has(wire.NFT_SET_EVAL) && { dynamic: true as const }),
    ...(has(wire.NFT_SET_TIMEOUT) && { timeouts: true as const }),
    ...(timeout !== undefined && { timeoutMs: Number(timeout) }),
    ...(gcInterval !== undefined && { gcIntervalMs: gcInterval }),
    ...(policy === 'memory' && { policy }),
    ...(autoMerge && { autoMerge }),
    ...(ranges && { ranges }),
    ...(description?.size !== undefined && { size: description.size }),
    ...(comment !== undefined && { comment }),
    ...(each && { expressions: each }),
    ...(userData && { userData }),
  } as const
}

export function elementsOf(shape: SetShape, elements: readonly wire.WireElement[]): Element[] {
  return piecesOf(shape, elements).map(piece => elementOf(piece, shape))
}

function elementOf(piece: Piece, { type, interval, data }: SetShape & Keys): Element {
  const { span, about = {} } = piece
  const { timeout, expiration, userData, expression, expressions } = about
  const value = mappedTo(piece, data)
  const each = expressions ?? (expression && [expression])
  return {
    key: span === undefined ? '*' : keyOf(type, span, interval),
    ...(value !== undefined && { value }),
    ...(timeout !== undefined && { timeoutMs: Number(timeout) }),
    ...(expiration !== undefined && { expiresMs: Number(expiration) }),
    ...(each && { expressions: each }),
    ...attachedTo(userData),
  }
}

function mappedTo({ data, about }: Piece, type: MapData | undefined): Element['value'] {
  if (about?.object !== undefined) return about.object
  if (data?.verdict) return data.verdict
  if (!data?.value || type === undefined || typeof type === 'string') return data?.value
  const { value } = data
  if (value.length !== 2 * type.length) return type.show(value) as ElementKey
  return keyOf(type, { from: value.subarray(0, type.length), to: value.subarray(type.length) }, true)
}

function keyOf(type: ValueType<unknown>, span: Span, interval: boolean): ElementKey {
  const { parts } = type
  if (!parts) return shown(type, span, interval) as ElementKey
  const [from, to] = [splitBytes(parts, span.from), splitBytes(parts, span.to)]
  return parts.map((part, at) => shown(part, { from: from[at]!, to: to[at]! }, interval)) as ElementKey
}

function shown(type: ValueType<unknown>, span: Span, interval: boolean): unknown {
  if (compare(span.from, span.to) === 0) return type.show(span.from)
  if (type.name === 'ifname' && interval) return wildcardOf(type, span)
  const prefix = type.name.endsWith('_addr') ? prefixOf(span) : undefined
  if (prefix !== undefined && prefix > 0) return `${type.show(span.from)}/${prefix}`
  return { from: type.show(span.from), to: type.show(span.to) }
}

/** All names with one beginning: `eth*`. */
function wildcardOf(type: ValueType<unknown>, { from, to }: Span): unknown {
  const length = from.findIndex((byte, at) => byte !== to[at])
  const all =
    from.subarray(length).every(byte => byte === 0) && to.subarray(length).every(byte => byte === 0xff)
  if (all && length > 0) return `${type.show(from.subarray(0, length))}*`
  return { from: type.show(from), to: type.show(to) }
}

/** The length of the prefix that covers exactly this span, if there is one. */
function prefixOf({ from, to }: Span): number | undefined {
  const bits = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('')
  const [low, high] = [bits(from), bits(to)]
  const same = [...low].findIndex((bit, at) => bit !== high[at])
  return /^0*$/.test(low.slice(same)) && /^1*$/.test(high.slice(same)) ? same : undefined
}
