import { NLM_F_CREATE, type Request, request } from '../../netlink/index.ts'
import type { TableRef } from '../names.ts'
import { inFamily } from '../operation.ts'
import type { AnonymousSet } from '../rule/draft.ts'
import { type SetNotes, setData } from '../user-data.ts'
import { milliseconds } from '../values.ts'
import * as wire from '../wire/index.ts'
import type { Keys } from './elements.ts'
import { anonymousName, isObject, type MapData } from './shape.ts'

/** A set to create: a named one, or one that belongs to a rule. */
export interface SetToMake extends Keys {
  readonly name: string
  readonly id: number
  /** NFT_SET_* flags besides those that follow from the rest. */
  readonly flags: number
  readonly data?: MapData | undefined
  readonly size?: number | undefined
  readonly policy?: 'performance' | 'memory' | undefined
  readonly timeoutMs?: number | undefined
  readonly gcIntervalMs?: number | undefined
  /** For each element. */
  readonly expressions?: readonly wire.StatefulExpression[]
  readonly notes?: SetNotes
}

export interface Doing {
  readonly op: string
  readonly target: string
}

function flagsOf({ flags, interval, type, data, timeoutMs }: SetToMake): number {
  return (
    flags |
    (interval ? wire.NFT_SET_INTERVAL : 0) |
    (interval && type.parts ? wire.NFT_SET_CONCAT : 0) |
    (timeoutMs === undefined ? 0 : wire.NFT_SET_TIMEOUT) |
    (data === undefined ? 0 : isObject(data) ? wire.NFT_SET_OBJECT : wire.NFT_SET_MAP)
  )
}

function dataOf({ data, notes }: SetToMake) {
  if (data === undefined) return {}
  if (data === 'verdict') return { dataType: wire.NFT_DATA_VERDICT, dataLength: 0 }
  if (typeof data === 'string') return { objectType: data }
  return { dataType: data.number, dataLength: notes?.ranges ? 2 * data.length : data.length }
}

function descriptionOf({ size, type, interval }: SetToMake) {
  const parts = interval ? type.parts?.map(({ length }) => ({ length })) : undefined
  if (size === undefined && !parts) return {}
  return { description: { ...(size !== undefined && { size }), ...(parts && { parts }) } }
}

function newSet(table: TableRef, set: SetToMake, doing: Doing): Request {
  const { name, id, type, data, policy, timeoutMs, gcIntervalMs, expressions = [] } = set
  const [first, ...more] = expressions
  const attributes = {
    table: table.name,
    name,
    flags: flagsOf(set),
    keyType: type.number,
    keyLength: type.length,
    ...dataOf(set),
    id,
    ...(policy !== undefined && { policy }),
    ...descriptionOf(set),
    ...(timeoutMs !== undefined && { timeout: milliseconds('timeoutMs', timeoutMs) }),
    ...(gcIntervalMs !== undefined && { gcInterval: gcIntervalMs }),
    userData: setData({ key: type, data }, set.notes),
    ...(first && more.length === 0 && { expression: first }),
    ...(more.length > 0 && { expressions: [...expressions] }),
  }
  const about = { type: wire.NFT_MSG_NEWSET, flags: NLM_F_CREATE, ...doing }
  return request(wire.setMessage, inFamily(table.family, attributes), about)
}

/** An attribute holds 64 KiB, and an element without notes takes up to about 100 bytes. */
const elementsAMessage = 500
/** One with a comment and expressions of its own can take 500. */
const largeElementsAMessage = 100

export interface Elements {
  readonly set: string
  readonly setId?: number
  readonly elements: readonly wire.WireElement[]
}

/** Messages that add elements to a set, or delete them: as many as they need. */
export function elementRequests(
  table: TableRef,
  { set, setId, elements }: Elements,
  doing: Doing & { readonly type: number; readonly flags?: number },
): Request[] {
  const large = elements.some(
    ({ userData, expression, expressions }) => userData ?? expression ?? expressions,
  )
  const each = large ? largeElementsAMessage : elementsAMessage
  return Array.from({ length: Math.ceil(elements.length / each) }, (_, chunk) => {
    const some = elements.slice(chunk * each, (chunk + 1) * each)
    const id = setId === undefined ? {} : { setId }
    const attributes = { table: table.name, set, ...id, elements: some }
    return request(wire.elementsMessage, inFamily(table.family, attributes), doing)
  })
}

/** A set and its elements. */
export function setRequests(
  table: TableRef,
  set: SetToMake & { readonly elements: readonly wire.WireElement[] },
  doing: Doing,
): Request[] {
  const { name, id, elements } = set
  const about = { ...doing, type: wire.NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE }
  return [newSet(table, set, doing), ...elementRequests(table, { set: name, setId: id, elements }, about)]
}

export function anonymousSet(table: TableRef, set: AnonymousSet, doing: Doing): Request[] {
  const { name = anonymousName(set), size = set.elements.length || undefined } = set
  const flags = set.flags ?? wire.NFT_SET_ANONYMOUS | wire.NFT_SET_CONSTANT
  const timeouts = set.timeouts ? wire.NFT_SET_TIMEOUT : 0
  return setRequests(table, { ...set, name, flags: flags | timeouts, size }, doing)
}
