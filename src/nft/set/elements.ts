import { badValue } from '../errors.ts'
import { compare, type Span, type ValueType } from '../values.ts'
import { type Data, NFT_SET_ELEM_INTERVAL_END, type WireElement } from '../wire/index.ts'

/** One element of a set, or of a map with its value. */
export interface Piece {
  readonly span: Span
  readonly data?: Data
}

/** Elements of a set without intervals, in the given order. */
export function plainElements(type: ValueType<unknown>, pieces: readonly Piece[]): WireElement[] {
  return pieces.map(({ span, data }) => {
    if (span.from.length !== type.length) throw badValue(type.name, 'a wildcard cannot be in a set')
    return { key: { value: span.from }, ...(data && { data }) }
  })
}

interface Edges {
  /** Merges adjacent spans: for a set whose elements are never removed one by one. */
  readonly merge: boolean
  /** Begins with an end at 0, as nft does for all but deletions. */
  readonly leading: boolean
}

/**
 * Elements of a set with intervals. The kernel's tree has the start of each and, flagged as end, the value
 * after its last.
 */
export function intervalElements(
  type: ValueType<unknown>,
  pieces: readonly Piece[],
  { merge, leading }: Edges,
): WireElement[] {
  if (type.host) throw badValue(type.name, 'its values have no order, so a set of them cannot have intervals')
  const sorted = pieces.toSorted((a, b) => compare(a.span.from, b.span.from))
  const all = merge ? merged(sorted) : sorted
  const first = all[0]?.span.from
  const begin = leading && first?.some(byte => byte !== 0) ? [end(new Uint8Array(type.length))] : []
  return [...begin, ...all.flatMap(interval)]
}

function merged(sorted: readonly Piece[]): Piece[] {
  const all: Piece[] = []
  for (const { span, data } of sorted) {
    const last = all.at(-1)
    const over = last && after(last.span.to)
    if (!last || data || (over && compare(span.from, over) > 0)) all.push({ span, ...(data && { data }) })
    else if (compare(span.to, last.span.to) > 0)
      all[all.length - 1] = { span: { from: last.span.from, to: span.to } }
  }
  return all
}

function interval({ span, data }: Piece): WireElement[] {
  const over = after(span.to)
  return [{ key: { value: span.from }, ...(data && { data }) }, ...(over ? [end(over)] : [])]
}

const end = (value: Uint8Array): WireElement => ({ flags: NFT_SET_ELEM_INTERVAL_END, key: { value } })

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

/** The reverse of {@link intervalElements}, in any order of elements. */
export function intervalPieces(elements: readonly WireElement[]): Piece[] {
  const edges = elements.flatMap(({ key, flags = 0, data }) =>
    key?.value ? [{ at: key.value, ends: (flags & NFT_SET_ELEM_INTERVAL_END) !== 0, data }] : [],
  )
  edges.sort((a, b) => compare(a.at, b.at) || Number(b.ends) - Number(a.ends))
  return edges.flatMap(({ at, ends, data }, index) => {
    if (ends) return []
    const next = edges[index + 1]?.at
    const to = next ? beforeOf(next) : at.map(() => 0xff)
    return [{ span: { from: at, to }, ...(data && { data }) }]
  })
}
