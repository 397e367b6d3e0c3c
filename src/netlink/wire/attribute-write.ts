import { type Codec, EncodeError, kindOf, type Writer } from '../../base/index.ts'
import type { Entry, UnknownAttribute, Values } from './attribute-codec.ts'

export function writeAll(out: Writer, entries: ReadonlyMap<string, Entry>, value: Values): void {
  if (typeof value !== 'object' || value === null)
    throw new EncodeError('', `${kindOf(value)} is not an object`)
  for (const name in value) {
    const field = value[name]
    if (field === undefined) continue
    const entry = entries.get(name)
    if (entry?.codec.element)
      for (const one of listOf(name, field)) writeOne(out, { ...entry, codec: entry.codec.element }, one)
    else if (entry) writeOne(out, entry, field)
    else if (name === 'unknown')
      for (const { type, bytes } of field as UnknownAttribute[])
        writeOne(out, { name: `attribute ${type}`, type, codec: raw }, bytes)
    else throw new EncodeError(name, 'the attribute table has no such name')
  }
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new EncodeError(name, `${kindOf(value)} is not a list`)
}

const raw: Codec<unknown> = { write: (out, value) => out.put(value as Uint8Array), read: () => undefined }

export function writeOne(out: Writer, entry: Entry, value: unknown): void {
  const start = out.reserve(4)
  try {
    entry.codec.write(out, value)
  } catch (failure) {
    throw EncodeError.in(entry.name, failure)
  }
  const length = out.length - start
  if (length > 0xffff)
    throw new EncodeError(entry.name, `an attribute can hold 65531 bytes, not ${length - 4}`)
  out.patchU32(start, (entry.type << 16) | length)
  if ((length & 3) !== 0) out.align(4)
}
