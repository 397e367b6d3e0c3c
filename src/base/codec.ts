import { EncodeError, type Reader, type Writer } from './bytes.ts'
import { taken } from './errors/argument-error.ts'
import { kindOf, shape } from './shape.ts'

/**
 * How one kind of value is encoded. The lines that define a codec also give the static type ({@link
 * ValueOf}). A codec has no state, socket or clock.
 */
export interface Codec<T> {
  /** Appends the encoded value to `out`. */
  write(out: Writer, value: T): void
  /** Reads one value. A codec of fixed size takes that size; the others take all of the reader's window. */
  read(from: Reader): T
}

/** The type of the values that a codec encodes and decodes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never

export const u8: Codec<number> = { write: (out, value) => out.u8(value), read: from => from.u8() }
export const u16: Codec<number> = { write: (out, value) => out.u16(value), read: from => from.u16() }
export const u32: Codec<number> = { write: (out, value) => out.u32(value), read: from => from.u32() }
export const i32: Codec<number> = { write: (out, value) => out.i32(value), read: from => from.i32() }
export const u64: Codec<bigint> = { write: (out, value) => out.u64(value), read: from => from.u64() }

/** Integers in network byte order. */
export const be16: Codec<number> = {
  write: (out, value) => out.u16(value, false),
  read: from => from.u16('be16', false),
}
export const be32: Codec<number> = {
  write: (out, value) => out.u32(value, false),
  read: from => from.u32('be32', false),
}
export const be64: Codec<bigint> = {
  write: (out, value) => out.u64(value, false),
  read: from => from.u64('be64', false),
}

/** All bytes of the window, unchanged. */
export const bytes: Codec<Uint8Array> = {
  write: (out, value) => out.put(value),
  read: from => from.take(from.left),
}

/** NUL-terminated UTF-8 text. */
export const text: Codec<string> = {
  write: (out, value) => {
    out.text(value)
    out.u8(0)
  },
  read: from => from.text(),
}

/** A value without bytes: it is either present or absent. */
export const flag: Codec<true> = {
  write: () => {},
  read: from => {
    from.skip(from.left, 'flag')
    return true
  },
}

type Fields = Readonly<Record<string, Codec<unknown>>>
type StructOf<F> = { -readonly [K in keyof F]: ValueOf<F[K]> }

const isCodec = (value: unknown): boolean =>
  typeof (value as Codec<unknown> | null | undefined)?.write === 'function'
const codecs = shape.of(
  'an object of codecs',
  value => typeof value === 'object' && value !== null && Object.values(value).every(isCodec),
)

/** Fixed fields one after another, as in a C struct with its padding written out. */
export function struct<const F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(taken('build struct', fields, codecs))
  return {
    write(out, value) {
      if (typeof value !== 'object' || value === null)
        throw new EncodeError('', `${kindOf(value)} is not an object`)
      let at = ''
      try {
        for (const [name, codec] of entries) {
          at = name
          codec.write(out, value[name as keyof F])
        }
      } catch (failure) {
        throw EncodeError.in(at, failure)
      }
    },
    read(from) {
      return Object.fromEntries(entries.map(([name, codec]) => [name, codec.read(from)])) as StructOf<F>
    },
  }
}
