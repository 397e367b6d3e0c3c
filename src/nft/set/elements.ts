import { badValue } from '../errors.ts'
import { compare, type Span, type ValueType } from '../values.ts'
import {
  type Data,
  NFT_SET_ELEM_CATCHALL,
  NFT_SET_ELEM_INTERVAL_END,
  type WireElement,
} from '../wire/index.ts'
import { isWide, turned, turns } from './span.ts'

/** What an element has besides its key and data. */
export type About = Pick<
  WireElement,
  'timeout' | 'expiration' | 'userData' | 'object' | 'expression' | 'expressions'
>

/** One element of a set, or of a map with its value. */
export interface Piece {
  /** Undefined for the element that stands for all values that no other has. */
  readonly span: Span | undefined
  readonly data?: Data
  readonly about?: About
}

interface Key {
  readonly flags?: number
  readonly key?: Uint8Array
  readonly keyEnd?: Uint8Array
}

/** In the order of libnftnl. Most elements are a key alone, and sets can have a hundred thousand of them. */
function element({ data, about }: Omit<Piece, 'span'>, { flags, key, keyEnd }: Key): WireElement {
  if (key && !data && !about && !keyEnd)
    return flags === undefined ? { key: { value: key } } : { flags, key: { value: key } }
  const { timeout, expiration, userData, object, expression, expressions } = about ?? {}
  return {
    ...(flags !== undefined && { flags }),
    ...(timeout !== undefined && { timeout }),
    ...(expiration !== undefined && { expiration }),
    ...(key && { key: { value: key } }),
    ...(keyEnd && { keyEnd: { value: keyEnd } }),
    ...(data && { data }),
    ...(userData && { userData }),
    ...(object !== undefined && { object }),
    ...(expression && { expression }),
    ...(expressions && { expressions }),
  }
}

/** How a set stores its keys. */
export interface Keys {
  readonly type: ValueType<unknown>
  readonly interval: boolean
}

interface Edges {
  /** Merges adjacent spans: for a set whose elements are never removed one by one. */
  readonly merge: boolean
  /** Begins with an end at 0, as nft does for all but deletions. */
  readonly leading: boolean
}

/** The elements of a set, as the kernel takes them. */
export function setElements({ type, interval }: Keys, pieces: readonly Piece[], edges: Edges): WireElement[] {
  const others = pieces.filter(({ span }) => span === undefined)
  const keyed = pieces.filter((piece): piece is Spanned => piece.span !== undefined)
  const catchAll = others.map(piece => element(piece, { flags: NFT_SET_ELEM_CATCHALL }))
  if (!interval) return [...plainElements(type, keyed), ...catchAll]
  const made = type.parts ? boxElements(type, keyed) : intervalElements(type, keyed, edges)
  return [...made, ...catchAll]
}

type Spanned = Piece & { readonly span: Span }

function plainElements(type: ValueType<unknown>, pieces: readonly Spanned[]): WireElement[] {
  return pieces.map(piece => {
    if (piece.span.from.length !== type.length) throw badValue(type.name, 'a wildcard cannot be in a set')
    return element(piece, { key: piece.span.from })
  })
}

/** Elements of concatenated ranges: both ends of each, in one. */
function boxElements(type: ValueType<unknown>, pieces: readonly Spanned[]): WireElement[] {
  return pieces.map(piece => {
    const [key, keyEnd] = [turned(type, piece.span.from), turned(type, piece.span.to)]
    return element(piece, { key, keyEnd })
  })
}

/**
 * Elements of a set with intervals. The kernel's tree has the start of each and, flagged as end, the value
 * after its last. Numbers in host order are turned: the tree compares bytes from first to last.
 */
function intervalElements(
  type: ValueType<unknown>,
  pieces: readonly Spanned[],
  { merge, leading }: Edges,
): WireElement[] {
  const asIs = !turns(type) && type.name !== 'ifname'
  const ordered = asIs ? pieces : pieces.map(piece => ({ ...piece, span: inOrder(type, piece.span) }))
  const sorted = ordered.toSorted((a, b) => compare(a.span.from, b.span.from))
  const all = merge ? merged(sorted) : sorted
  const first = all[0]?.span.from
  const begin = leading && first?.some(byte => byte !== 0) ? [end(new Uint8Array(type.length))] : []
  return [...begin, ...all.flatMap(interval)]
}

function inOrder(type: ValueType<unknown>, { from, to }: Span): Span {
  if (from.length === type.length) return { from: turned(type, from), to: turned(type, to) }
  return { from: filled(from, type.length, 0), to: filled(to, type.length, 0xff) }
}

/** A wildcard's bytes, with `rest` for all others. */
function filled(bytes: Uint8Array, length: number, rest: number): Uint8Array {
  const all = new Uint8Array(length).fill(rest)
  all.set(bytes)
  return all
}

function merged(sorted: readonly Spanned[]): Spanned[] {
  const all: Spanned[] = []
  for (const piece of sorted) {
    const last = all.at(-1)
    const over = last && after(last.span.to)
    if (!last || piece.data || piece.about || (over && compare(piece.span.from, over) > 0)) all.push(piece)
    else if (compare(piece.span.to, last.span.to) > 0)
      all[all.length - 1] = { ...last, span: { from: last.span.from, to: piece.span.to } }
  }
  return all
}

function interval(piece: Spanned): WireElement[] {
  const over = after(piece.span.to)
  return [element(piece, { key: piece.span.from }), ...(over ? [end(over)] : [])]
}

const end = (key: Uint8Array): WireElement => element({}, { flags: NFT_SET_ELEM_INTERVAL_END, key })

/** The next value; undefined after the largest. */
function after(bytes: Uint8Array): Uint8Array | undefined {
  const next = bytes.slice()
  for (let at = next.length - 1; at >= 0; at--) {
    next[at] = (next[at]! + 1) & 0xff
    if (next[at] !== 0) return next
  }
  return undefined
}

function beforeOf(bytes: Uint8Array): Uint8Array {
  const previous = bytes.slice()
  for (let at = previous.length - 1; at >= 0; at--) {
    previous[at] = (previous[at]! - 1) & 0xff
    if (previous[at] !== 0xff) break
  }
  return previous
}

/** The reverse of {@link setElements}. */
export function piecesOf({ type, interval }: Keys, elements: readonly WireElement[]): Piece[] {
  const others = elements.filter(({ flags = 0 }) => flags & NFT_SET_ELEM_CATCHALL)
  const keyed = elements.filter(one => !others.includes(one))
  const catchAll = others.map(one => ({ ...rest(one), span: undefined }))
  if (interval && !type.parts) return [...intervalPieces(type, keyed), ...catchAll]
  const pieces = keyed.map(one => {
    const from = one.key?.value ?? new Uint8Array()
    const to = one.keyEnd?.value ?? from
    if (!interval) return { ...rest(one), span: { from, to } }
    return { ...rest(one), span: { from: turned(type, from), to: turned(type, to) } }
  })
  return [...pieces, ...catchAll]
}

function rest({ data, key: _, keyEnd: __, flags: ___, unknown: ____, ...about }: WireElement) {
  return { ...(data && { data }), ...(Object.keys(about).length > 0 && { about }) }
}

/** Intervals of their edges, in any order. */
function intervalPieces(type: ValueType<unknown>, elements: readonly WireElement[]): Piece[] {
  const edges = elements.flatMap(one => {
    const ends = ((one.flags ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0
    return one.key?.value ? [{ at: one.key.value, ends, piece: rest(one) }] : []
  })
  edges.sort((a, b) => compare(a.at, b.at) || Number(b.ends) - Number(a.ends))
  return edges.flatMap(({ at, ends, piece }, index) => {
    if (ends) return []
    const next = edges[index + 1]?.at
    const to = next ? beforeOf(next) : at.map(() => 0xff)
    return [{ ...piece, span: { from: turned(type, at), to: turned(type, to) } }]
  })
}

export const hasWide = (pieces: readonly Piece[]): boolean =>
  pieces.some(({ span }) => span !== undefined && isWide(span))
