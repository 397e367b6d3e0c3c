import { type Codec, EncodeError, kindOf, type Reader, type ValueOf } from '../../base/index.ts'
import { take } from '../takes.ts'
import type { AttributeCodec, AttributeTable, Entry, UnknownAttribute } from './attribute-codec.ts'
import { header, locate, readAll, readOne } from './attribute-read.ts'
import { writeAll, writeOne } from './attribute-write.ts'
import { NLA_F_NESTED } from './constants.ts'

/** The values of a table's attributes. All are optional, and attributes that are not in the table are kept. */
export type AttributesOf<T extends AttributeTable> = {
  -readonly [K in keyof T]?: ValueOf<T[K][1]> | undefined
} & { unknown?: readonly UnknownAttribute[] | undefined }

/**
 * A sequence of netlink attributes. Encoder, decoder and static type come from the same lines.
 *
 * ```ts
 * export const linkAttributes = attributes({ name: [3, text], mtu: [4, u32] })
 * export type LinkAttributes = ValueOf<typeof linkAttributes>
 * ```
 *
 * Attributes are written in the order of the value's own keys; `undefined` ones are omitted. Attributes that are
 * not in the table are kept in `unknown` and written back. As an attribute's codec it nests, the way that old
 * rtnetlink does it, without NLA_F_NESTED (see {@link nested}).
 */
export function attributes<const T extends AttributeTable>(table: T): AttributeCodec<AttributesOf<T>> {
  take('build attributes', table, 'table')
  const entries = new Map<string, Entry>()
  const byType: Entry[][] = []
  for (const [name, [type, codec]] of Object.entries(table)) {
    const entry = { name, type: codec.flagged ? type | NLA_F_NESTED : type, codec }
    entries.set(name, entry)
    byType[type] = [...(byType[type] ?? []), entry]
  }
  return {
    write: (out, value) => writeAll(out, entries, value),
    read: from => readAll(from, byType) as AttributesOf<T>,
    locate: (from, offset) => locate(from, offset, byType),
  }
}

/** Sets NLA_F_NESTED on the attribute: nf_tables and the newer parts of rtnetlink require it. */
export function nested<T>(codec: AttributeCodec<T>): AttributeCodec<T> {
  take('build nested', codec, 'codec')
  return { ...codec, flagged: true }
}

/** A codec that applies only when an earlier attribute has this value, as IFLA_INFO_DATA depends on the kind. */
export function when<T>(sibling: string, value: unknown, codec: AttributeCodec<T>): AttributeCodec<T> {
  take('build when', codec, 'codec')
  return { ...codec, condition: [sibling, value] }
}

/** An attribute that may occur several times; the value is an array. */
export function repeated<T>(element: Codec<T>): AttributeCodec<T[]> {
  take('build repeated', element, 'codec')
  return {
    element,
    write: (out, values) => {
      for (const value of values) element.write(out, value)
    },
    read: from => [element.read(from)],
  }
}

/**
 * An attribute of attributes of one kind: all with one type (NFTA_LIST_ELEM), numbered from 1, or as a function of their
 * place numbers them.
 */
export function list<T>(
  element: AttributeCodec<T>,
  type: number | ((place: number) => number) = place => place + 1,
): AttributeCodec<T[]> {
  take('build list', element, 'codec')
  if (typeof type !== 'function') take('build list', type, ['number', 'type'])
  const typeAt = typeof type === 'function' ? type : () => type
  const flag = element.flagged ? NLA_F_NESTED : 0
  return {
    write(out, values) {
      if (!Array.isArray(values)) throw new EncodeError('', `${kindOf(values)} is not a list`)
      for (const [index, value] of values.entries())
        writeOne(out, { name: `${index}`, type: typeAt(index) | flag, codec: element }, value)
    },
    read(from) {
      const values: T[] = []
      while (from.left > 0) values.push(readOne(from, element, { ...header(from), name: 'element' }))
      return values
    },
    locate: (from, offset) => locateElement(from, offset, element),
  }
}

/** The element that covers `offset`, and the attribute in it: `3.meta.key`. */
function locateElement<T>(from: Reader, offset: number, element: AttributeCodec<T>): string | undefined {
  for (let index = 0; from.left > 0; index++) {
    const head = header(from)
    const inside = from.window(head.length, 'element')
    if (offset < inside.end) {
      const deeper = offset > head.start ? element.locate?.(inside, offset) : undefined
      return deeper === undefined ? `${index}` : `${index}.${deeper}`
    }
    from.skip(Math.min(-head.length & 3, from.left), 'padding')
  }
  return undefined
}

/** A struct that newer kernels may extend: bytes after the known fields are skipped. */
export function growing<T>(codec: Codec<T>): AttributeCodec<T> {
  take('build growing', codec, 'codec')
  return {
    write: codec.write,
    read(from) {
      const value = codec.read(from)
      from.skip(from.left, 'tail')
      return value
    },
  }
}

/** Text without a NUL, as iproute2 writes kinds. The kernel itself may send one. */
export const bareText: Codec<string> = {
  write: (out, value) => out.text(value),
  read: from => from.text(),
}
