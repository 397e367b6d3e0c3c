import { type Codec, EncodeError, kindOf, printable, type Reader, type Writer } from '../../base/index.ts'

/** A number by the kernel's name for it, `'oifname'`. One without a name here stays a number. */
export function choice<const T extends Readonly<Record<string, number>>>(
  codec: Codec<number>,
  numbers: T,
): Codec<keyof T | number> {
  const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name as keyof T]))
  return {
    write(out, value) {
      if (typeof value !== 'number' && !Object.hasOwn(numbers, value)) throw unknown(value, numbers)
      codec.write(out, typeof value === 'number' ? value : (numbers[value] as number))
    },
    read: from => {
      const number = codec.read(from)
      return names.get(number) ?? number
    },
  }
}

function unknown(value: unknown, numbers: object): EncodeError {
  const said = typeof value === 'string' ? `'${printable(value, 40)}'` : kindOf(value)
  return new EncodeError('', `${said} is neither a number nor one of ${Object.keys(numbers).join(', ')}`)
}

/** A choice by position: the first name is 0. */
export function enumeration<const N extends readonly string[]>(codec: Codec<number>, ...names: N) {
  const numbers = Object.fromEntries(names.map((name, number) => [name, number]))
  return choice(codec, numbers as Record<N[number], number>)
}

/** Signed, in network byte order. */
export const beI32: Codec<number> = {
  write: (out: Writer, value: number) => out.i32(value, false),
  read: (from: Reader) => from.u32('be32', false) | 0,
}
