import type { Codec, Reader, ValueOf } from '../../base/index.ts'
import type { AttributeCodec, AttributeTable, Entry, UnknownAttribute } from './attribute-codec.ts'
import { header, locate, readAll, readOne } from './attribute-read.ts'
import { writeAll, writeOne } from './attribute-write.ts'
import { NLA_F_NESTED } from './constants.ts'

/** The values of a table: all may be absent, and what it does not know is kept. */
export type AttributesOf<T extends AttributeTable> = {
  -readonly [K in keyof T]?: ValueOf<T[K][1]> | undefined
} & { unknown?: readonly UnknownAttribute[] | undefined }

/**
 * A sequence of netlink attributes: encoder, decoder and static type from the same lines.
 *
 * ```ts
 * export const linkAttributes = attributes({ name: [3, text], mtu: [4, u32] })
 * export type LinkAttributes = ValueOf<typeof linkAttributes>
 * ```
 *
 * Attributes are written in the order of the value's own keys; `undefined` ones are left out. What the table
 * does not know is kept in `unknown` and written back. Used as an attribute's codec it nests (the way of old
 * rtnetlink, without NLA_F_NESTED; see {@link nested}).
 */
export function attributes<const T extends AttributeTable>(table: T): AttributeCodec<AttributesOf<T>> {
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

/** Sets NLA_F_NESTED on the attribute: nf_tables and the newer parts of rtnetlink insist on it. */
export function nested<T>(codec: AttributeCodec<T>): AttributeCodec<T> {
  return { ...codec, flagged: true }
}

/** The attribute is read and written so only where an earlier one has this value, as IFLA_INFO_DATA by kind. */
export function when<T>(sibling: string, value: unknown, codec: AttributeCodec<T>): AttributeCodec<T> {
  return { ...codec, condition: [sibling, value] }
}

/** An attribute that may come several times, as an array. */
export function repeated<T>(element: Codec<T>): AttributeCodec<T[]> {
  return {
    element,
    write: (out, values) => {
      for (const value of values) element.write(out, value)
    },
    read: from => [element.read(from)],
  }
}

/** An attribute that holds attributes of one kind, all of one type (NFTA_LIST_ELEM) or numbered from 1. */
export function list<T>(element: AttributeCodec<T>, type?: number): AttributeCodec<T[]> {
  const flag = element.flagged ? NLA_F_NESTED : 0
  return {
    write(out, values) {
      for (const [index, value] of values.entries())
        writeOne(out, { name: `${index}`, type: (type ?? index + 1) | flag, codec: element }, value)
    },
    read(from) {
      const values: T[] = []
      while (from.left > 0) values.push(readOne(from, element, { ...header(from), name: 'element' }))
      return values
    },
    locate: (from, offset) => locateElement(from, offset, element),
  }
}

/** `3.meta.key`: which element covers `offset`, and what of it. */
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

/** A struct that newer kernels may lengthen: what follows the fields we know is skipped. */
export function growing<T>(codec: Codec<T>): AttributeCodec<T> {
  return {
    write: codec.write,
    read(from) {
      const value = codec.read(from)
      from.skip(from.left, 'tail')
      return value
    },
  }
}

const encoder = new TextEncoder()

/** Text that goes without a NUL, as iproute2 writes kinds; the kernel itself may send one. */
export const bareText: Codec<string> = {
  write: (out, value) => out.put(encoder.encode(value)),
  read: from => from.text(),
}
