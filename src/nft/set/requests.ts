import { NLM_F_CREATE, type Request, request } from '../../netlink/index.ts'
import type { TableRef } from '../names.ts'
import { inFamily } from '../operation.ts'
import type { AnonymousSet } from '../rule/draft.ts'
import { setData } from '../user-data.ts'
import type { ValueType } from '../values.ts'
import * as wire from '../wire/index.ts'

/** A set to create: a named one, or one that belongs to a rule. */
export interface SetToMake {
  readonly name: string
  readonly id: number
  readonly type: ValueType<unknown>
  /** NFT_SET_* flags besides those that follow from the rest. */
  readonly flags: number
  readonly interval: boolean
  readonly data?: ValueType<unknown> | 'verdict'
  readonly size?: number
}

export interface Doing {
  readonly op: string
  readonly target: string
}

export function newSet(table: TableRef, set: SetToMake, doing: Doing): Request {
  const { name, id, type, data, size } = set
  const flags = set.flags | (set.interval ? wire.NFT_SET_INTERVAL : 0) | (data ? wire.NFT_SET_MAP : 0)
  const attributes = {
    table: table.name,
    name,
    flags,
    keyType: type.number,
    keyLength: type.length,
    ...(data === 'verdict' && { dataType: wire.NFT_DATA_VERDICT, dataLength: 0 }),
    ...(data !== undefined && data !== 'verdict' && { dataType: data.number, dataLength: data.length }),
    id,
    ...(size !== undefined && { description: { size } }),
    userData: setData(type, data),
  }
  const about = { type: wire.NFT_MSG_NEWSET, flags: NLM_F_CREATE, ...doing }
  return request(wire.setMessage, inFamily(table.family, attributes), about)
}

/** An attribute holds 64 KiB, and an element takes up to about 100 bytes. */
const elementsAMessage = 500

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
  return Array.from({ length: Math.ceil(elements.length / elementsAMessage) }, (_, chunk) => {
    const some = elements.slice(chunk * elementsAMessage, (chunk + 1) * elementsAMessage)
    const id = setId === undefined ? {} : { setId }
    const attributes = { table: table.name, set, ...id, elements: some }
    return request(wire.elementsMessage, inFamily(table.family, attributes), doing)
  })
}

export function anonymousSet(table: TableRef, set: AnonymousSet, doing: Doing): Request[] {
  const { id, elements, ...rest } = set
  const name = set.data === undefined ? '__set%d' : '__map%d'
  const flags = wire.NFT_SET_ANONYMOUS | wire.NFT_SET_CONSTANT
  const type = wire.NFT_MSG_NEWSETELEM
  return [
    newSet(table, { ...rest, name, id, flags, size: elements.length }, doing),
    ...elementRequests(table, { set: name, setId: id, elements }, { ...doing, type, flags: NLM_F_CREATE }),
  ]
}
