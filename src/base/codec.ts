import type { Reader, Writer } from './bytes.ts'

/**
 * How one kind of value stands in bytes. A codec is made once, from the same lines that give the static type
 * ({@link ValueOf}); it has no state, no socket and no clock.
 */
export interface Codec<T> {
  /** Writes the value at the end of what `out` holds. */
  write(out: Writer, value: T): void
  /** Reads one value; fixed-size codecs take their size, the others all that the reader's window holds. */
  read(from: Reader): T
}

/** The type of the values that a codec reads and writes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never

export const u8: Codec<number> = { write: (out, value) => out.u8(value), read: from => from.u8() }
export const u16: Codec<number> = { write: (out, value) => out.u16(value), read: from => from.u16() }
export const u32: Codec<number> = { write: (out, value) => out.u32(value), read: from => from.u32() }
export const i32: Codec<number> = { write: (out, value) => out.i32(value), read: from => from.i32() }
export const u64: Codec<bigint> = { write: (out, value) => out.u64(value), read: from => from.u64() }

/** Network byte order. */
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

/** All bytes of the window, as they are. */
export const bytes: Codec<Uint8Array> = {
  write: (out, value) => out.put(value),
  read: from => from.take(from.left),
}

const encoder = new TextEncoder()

/** Text with a NUL at its end. */
export const text: Codec<string> = {
  write: (out, value) => {
    out.put(encoder.encode(value))
    out.u8(0)
  },
  read: from => from.text(),
}

/** Present or absent, with no bytes at all. */
export const flag: Codec<true> = {
  write: () => {},
  read: from => {
    from.skip(from.left, 'flag')
    return true
  },
}

type Fields = Readonly<Record<string, Codec<unknown>>>
type StructOf<F> = { -readonly [K in keyof F]: ValueOf<F[K]> }

/** Fixed fields one after the other, as in a C struct whose padding is spelled out. */
export function struct<const F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields)
  return {
    write(out, value) {
      for (const [name, codec] of entries) codec.write(out, value[name as keyof F])
    },
    read(from) {
      return Object.fromEntries(entries.map(([name, codec]) => [name, codec.read(from)])) as StructOf<F>
    },
  }
}
