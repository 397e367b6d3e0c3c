import { type Codec, DecodeError, type Reader } from '../../base/index.ts'
import type { Entry, UnknownAttribute, Values } from './attribute-codec.ts'
import { NLA_TYPE_MASK } from './constants.ts'

export interface Header {
  readonly start: number
  readonly length: number
  readonly type: number
}

/** struct nlattr. `length` is that of the content, without padding. */
export function header(from: Reader): Header {
  const start = from.offset
  const length = from.u16('attribute length')
  const type = from.u16('attribute type')
  if (length < 4)
    throw new DecodeError('attribute', start, `its length ${length} is less than that of its header`)
  return { start, length: length - 4, type }
}

/** The last attribute of a message may lack its padding. */
function skipPadding(from: Reader, length: number): void {
  from.skip(Math.min(-length & 3, from.left), 'padding')
}

/** Reads one whole attribute. Bytes that its codec leaves unread are an error. */
export function readOne<T>(
  from: Reader,
  codec: Codec<T>,
  { length, name }: { length: number; name: string },
): T {
  const window = from.window(length, name)
  const value = codec.read(window)
  if (window.left > 0) throw new DecodeError(name, window.offset, `${window.left} bytes left over`)
  skipPadding(from, length)
  return value
}

export function readAll(from: Reader, byType: readonly Entry[][]): Values {
  const values: Values = {}
  while (from.left > 0) {
    const head = header(from)
    const entry = find(byType, head.type, values)
    if (entry === undefined) keepUnknown(from, head, values)
    else {
      const value = readOne(from, entry.codec, { length: head.length, name: entry.name })
      if (entry.codec.element && values[entry.name]) (values[entry.name] as unknown[]).push(...(value as []))
      else values[entry.name] = value
    }
  }
  return values
}

function find(byType: readonly Entry[][], type: number, values: Values): Entry | undefined {
  return byType[type & NLA_TYPE_MASK]?.find(({ codec: { condition } }) =>
    condition ? values[condition[0]] === condition[1] : true,
  )
}

function keepUnknown(from: Reader, head: Header, values: Values): void {
  const bytes = from.take(head.length, `attribute ${head.type & NLA_TYPE_MASK}`)
  const unknown = (values.unknown ?? []) as UnknownAttribute[]
  values.unknown = unknown
  unknown.push({ type: head.type, bytes })
  skipPadding(from, head.length)
}

/**
 * The name here of the attribute that covers `offset`. The bytes are a request encoded here, so they are
 * well-formed.
 */
export function locate(from: Reader, offset: number, byType: readonly Entry[][]): string | undefined {
  const values: Values = {}
  while (from.left > 0) {
    const head = header(from)
    const entry = find(byType, head.type, values)
    const inside = from.window(head.length, 'attribute')
    if (offset < inside.end) {
      const name = entry?.name ?? `attribute ${head.type & NLA_TYPE_MASK}`
      const deeper = offset > head.start ? entry?.codec.locate?.(inside, offset) : undefined
      return deeper === undefined ? name : `${name}.${deeper}`
    }
    if (entry && byType.some(entries => entries.some(({ codec }) => codec.condition?.[0] === entry.name)))
      values[entry.name] = entry.codec.read(inside)
    skipPadding(from, head.length)
  }
  return undefined
}
