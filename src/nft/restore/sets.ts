import type { Request } from '../../netlink/index.ts'
import type { Element, NftSet } from '../listing/model.ts'
import { typeOf } from '../listing/set.ts'
import type { TableRef } from '../names.ts'
import { type About, type Piece, setElements } from '../set/elements.ts'
import { keyType, mapData } from '../set/make.ts'
import { type Doing, type SetToMake, setRequests } from '../set/requests.ts'
import { isObject, type MapData } from '../set/shape.ts'
import { spanOf } from '../set/span.ts'
import type { MapTarget } from '../set/spec.ts'
import { types } from '../types.ts'
import { attachment } from '../user-data.ts'
import type { ValueType } from '../values.ts'
import * as wire from '../wire/index.ts'

/** A listed set with its elements, as requests that make it again. */
export function restoredSet(
  table: TableRef,
  set: NftSet,
  { id, ...doing }: Doing & { readonly id: number },
): Request[] {
  const made = toMake(set, id)
  const pieces = set.elements.map(element => pieceOf(element, made))
  const elements = setElements(made, pieces, { merge: false, leading: false })
  return setRequests(table, { ...made, elements }, doing)
}

/** The name by which a set of a rule is created: the kernel numbers it. Meters keep theirs. */
export const madeName = ({ anonymous, name }: NftSet): string =>
  anonymous ? name.replace(/^(__(?:set|map|objmap))\d+$/, '$1%d') : name

function typeNamed({ type, keyLength, networkOrder }: NftSet): ValueType<unknown> {
  if (type === 'integer') return typeOf(types.integer.number, keyLength, networkOrder)
  return typeof type === 'number' ? typeOf(type, keyLength) : keyType(type)
}

function dataNamed({ to, dataLength = 0, ranges }: NftSet): MapData | undefined {
  if (to === undefined) return undefined
  if (typeof to === 'number') return typeOf(to, ranges ? dataLength / 2 : dataLength)
  return typeof to === 'string' ? mapData(to as MapTarget) : keyType(to)
}

function toMake(set: NftSet, id: number): SetToMake {
  const { interval, size, policy, timeoutMs, gcIntervalMs, expressions = [] } = set
  const { comment, autoMerge, ranges, userData } = set
  return {
    name: madeName(set),
    id,
    type: typeNamed(set),
    data: dataNamed(set),
    interval,
    ...{ size, policy, timeoutMs, gcIntervalMs, expressions },
    flags:
      (set.anonymous ? wire.NFT_SET_ANONYMOUS : 0) |
      (set.constant ? wire.NFT_SET_CONSTANT : 0) |
      (set.dynamic ? wire.NFT_SET_EVAL : 0) |
      (set.timeouts ? wire.NFT_SET_TIMEOUT : 0),
    notes: {
      ...(comment !== undefined && { comment }),
      ...(autoMerge && { autoMerge }),
      ...(ranges && { ranges }),
      ...(userData && { userData }),
    },
  }
}

function pieceOf(element: Element, { type, data, notes }: SetToMake): Piece {
  const { key, value } = element
  const about = aboutOf(element, data)
  return {
    span: key === '*' ? undefined : spanOf(type, key),
    ...(value !== undefined && dataOf(value, data, notes?.ranges)),
    ...(about && { about }),
  }
}

function dataOf(value: Element['value'], data: MapData | undefined, ranges = false): Pick<Piece, 'data'> {
  if (data === 'verdict') return { data: { verdict: value as wire.Verdict } }
  if (data === undefined || typeof data === 'string') return {}
  const { from, to } = spanOf(data, value)
  return { data: { value: ranges ? Uint8Array.of(...from, ...to) : from } }
}

function aboutOf(element: Element, data: MapData | undefined): About | undefined {
  const { timeoutMs, expiresMs, expressions = [], value } = element
  const [first, ...more] = expressions
  const about: About = {
    ...(timeoutMs !== undefined && { timeout: BigInt(timeoutMs) }),
    ...(expiresMs !== undefined && { expiration: BigInt(expiresMs) }),
    ...attachment(element),
    ...(data && isObject(data) && { object: `${value}` }),
    ...(first && more.length === 0 && { expression: first }),
    ...(first && more.length > 0 && { expressions: [...expressions] }),
  }
  return Object.keys(about).length > 0 ? about : undefined
}
