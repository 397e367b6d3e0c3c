import type { Message } from '../netlink/index.ts'
import { type Family, familyOf, type Hook, hookOf, type TableRef } from './names.ts'
import { intervalPieces, type Piece } from './set/elements.ts'
import type { SetType } from './set/sets.ts'
import type { Range } from './set/span.ts'
import { commentOf } from './user-data.ts'
import { compare, type Span, types, type ValueType } from './values.ts'
import * as wire from './wire/index.ts'

/** A table with its contents. */
export interface Table extends TableRef {
  readonly handle: bigint
  readonly dormant: boolean
  /** The port id of the netlink socket that owns it. */
  readonly owner?: number
  readonly chains: readonly Chain[]
  readonly sets: readonly NftSet[]
}

export interface Chain {
  readonly name: string
  readonly handle: bigint
  /** Base chains have these four. */
  readonly type?: string
  readonly hook?: Hook
  readonly priority?: number
  readonly policy?: 'accept' | 'drop'
  readonly devices?: readonly string[]
  readonly rules: readonly Rule[]
}

export interface Rule {
  readonly table: TableRef
  readonly chain: string
  readonly handle: bigint
  readonly comment?: string
  readonly expressions: readonly wire.Expression[]
}

/** A set or map. */
export interface NftSet {
  readonly name: string
  readonly handle: bigint
  /** nft's name for the type of its values, or its number when the type has no name here. */
  readonly type: SetType | number
  /** For a map: the type of what it maps to. */
  readonly to?: SetType | 'verdict' | number
  readonly interval: boolean
  /** It belongs to one rule. */
  readonly anonymous: boolean
  readonly size?: number
  readonly elements: readonly Element[]
}

/** A value as `sets.add` takes it. Bytes when the type of the set is unknown here. */
export type ElementKey = string | number | Range<string | number> | Uint8Array

export interface Element {
  readonly key: ElementKey
  /** In a map: what the key maps to. */
  readonly value?: string | number | Uint8Array | wire.Verdict
}

/** The family and attributes of a listed message. */
export interface Listed<A> {
  readonly family: Family
  readonly attributes: A
}

/** Reads a message of a dump. */
const reader =
  <A>(body: { read(from: Message['body']): { family: number; attributes: A } }) =>
  ({ body: from }: Message): Listed<A> => {
    const { family, attributes } = body.read(from)
    return { family: familyOf(family), attributes }
  }

export const readTable = reader(wire.tableMessage)
export const readChain = reader(wire.chainMessage)
export const readSet = reader(wire.setMessage)
const readRuleMessage = reader(wire.ruleMessage)

export function readRule(message: Message): Rule {
  const { family, attributes } = readRuleMessage(message)
  const { table = '', chain = '', handle = 0n, expressions = [], userData } = attributes
  const comment = userData && commentOf(userData)
  const where = { table: { family, name: table }, chain, handle, expressions }
  return { ...where, ...(comment !== undefined && { comment }) }
}

export type TableMessage = ReturnType<typeof readTable>
export type ChainMessage = ReturnType<typeof readChain>
export type SetMessage = ReturnType<typeof readSet>

export function tableOf({ family, attributes }: TableMessage, parts: Pick<Table, 'chains' | 'sets'>): Table {
  const { name = '', handle = 0n, flags = 0, owner } = attributes
  const dormant = (flags & wire.NFT_TABLE_F_DORMANT) !== 0
  return { family, name, handle, dormant, ...(owner !== undefined && { owner }), ...parts }
}

export function chainOf({ family, attributes }: ChainMessage, rules: readonly Rule[]): Chain {
  const { name = '', handle = 0n, type, hook, policy } = attributes
  const devices = hook?.devices ?? (hook?.device === undefined ? undefined : [hook.device])
  return {
    name,
    handle,
    ...(type !== undefined && { type }),
    ...(hook?.number !== undefined && { hook: hookOf(family, hook.number) }),
    ...(hook?.priority !== undefined && { priority: hook.priority }),
    ...(policy !== undefined && { policy: policy === 0 ? 'drop' : 'accept' }),
    ...(devices && { devices }),
    rules,
  }
}

export function setOf({ attributes }: SetMessage, elements: readonly wire.WireElement[]): NftSet {
  const { name = '', handle = 0n, flags = 0, keyType = 0, keyLength = 0, description } = attributes
  const key = typeOf(keyType, keyLength)
  const { dataType, dataLength = 0 } = attributes
  const verdicts = dataType === wire.NFT_DATA_VERDICT
  const to = dataType === undefined || verdicts ? undefined : typeOf(dataType, dataLength)
  const interval = (flags & wire.NFT_SET_INTERVAL) !== 0
  return {
    name,
    handle,
    type: key?.name ?? keyType,
    ...(dataType !== undefined && { to: verdicts ? 'verdict' : (to?.name ?? dataType) }),
    interval,
    anonymous: (flags & wire.NFT_SET_ANONYMOUS) !== 0,
    ...(description?.size !== undefined && { size: description.size }),
    elements: piecesOf(elements, interval && (flags & wire.NFT_SET_CONCAT) === 0).map(piece =>
      elementOf(piece, key, to),
    ),
  }
}

type KnownType = ValueType<string | number> & { readonly name: SetType }

function typeOf(number: number, length: number): KnownType | undefined {
  const all = Object.values(types) as ValueType<unknown>[]
  return all.find(type => type.number === number && type.length === length) as KnownType | undefined
}

function piecesOf(elements: readonly wire.WireElement[], interval: boolean): Piece[] {
  if (interval) return intervalPieces(elements)
  return elements.map(({ key, keyEnd, data }) => {
    const from = key?.value ?? new Uint8Array()
    return { span: { from, to: keyEnd?.value ?? from }, ...(data && { data }) }
  })
}

function elementOf({ span, data }: Piece, key: KnownType | undefined, to: KnownType | undefined): Element {
  const value = data?.verdict ?? (data?.value && to ? to.show(data.value) : data?.value)
  return { key: key ? shown(key, span) : span.from, ...(value !== undefined && { value }) }
}

function shown(type: KnownType, span: Span): ElementKey {
  if (compare(span.from, span.to) === 0) return type.show(span.from)
  const prefix = type.name.endsWith('_addr') ? prefixOf(span) : undefined
  if (prefix !== undefined) return `${type.show(span.from)}/${prefix}`
  return { from: type.show(span.from), to: type.show(span.to) }
}

/** The length of the prefix that covers exactly this span, if there is one. */
function prefixOf({ from, to }: Span): number | undefined {
  const bits = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('')
  const [low, high] = [bits(from), bits(to)]
  const same = [...low].findIndex((bit, at) => bit !== high[at])
  return /^0*$/.test(low.slice(same)) && /^1*$/.test(high.slice(same)) ? same : undefined
}
