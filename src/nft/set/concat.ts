import { badValue } from '../errors.ts'
import type { Span, ValueType } from '../values.ts'
import { padded, spanOf } from './span.ts'

/** The bits of a type's number in that of a concatenation (nft's TYPE_BITS). */
const typeBits = 6

/**
 * Values of several types, one after another: `ipv4_addr . inet_service`. A value is an array with one value or
 * range for each.
 */
export function concatenation(parts: readonly ValueType<unknown>[]): ValueType<readonly unknown[]> {
  const length = parts.reduce((sum, part) => sum + padded(part.length), 0)
  return {
    name: parts.map(({ name }) => name).join(' . '),
    number: parts.reduce((all, { number }) => (all << typeBits) | number, 0),
    length,
    parts,
    span(values) {
      if (!Array.isArray(values) || values.length !== parts.length) throw wrongCount(parts, values)
      const spans = values.map((value, index) => spanOf(parts[index]!, value))
      return { from: joined(parts, spans, 'from'), to: joined(parts, spans, 'to') }
    },
    show: bytes => splitBytes(parts, bytes).map((each, index) => parts[index]!.show(each)),
  }
}

function wrongCount(parts: readonly ValueType<unknown>[], values: unknown) {
  const name = parts.map(part => part.name).join(' . ')
  return badValue(name, `'${String(values)}' is not an array of ${parts.length} values`)
}

function joined(
  parts: readonly ValueType<unknown>[],
  spans: readonly Span[],
  end: 'from' | 'to',
): Uint8Array {
  const bytes = spans.map((span, index) => {
    if (span[end].length === parts[index]!.length) return span[end]
    throw badValue(parts[index]!.name, 'a wildcard cannot be part of a concatenation')
  })
  const all = new Uint8Array(parts.reduce((sum, part) => sum + padded(part.length), 0))
  let at = 0
  for (const [index, each] of bytes.entries()) {
    all.set(each, at)
    at += padded(parts[index]!.length)
  }
  return all
}

/** The bytes of each part. */
export function splitBytes(parts: readonly ValueType<unknown>[], bytes: Uint8Array): Uint8Array[] {
  let at = 0
  return parts.map(({ length }) => {
    const each = bytes.subarray(at, at + length)
    at += padded(length)
    return each
  })
}

/** The types' numbers in that of a concatenation, from first to last. */
export function numbersIn(number: number): number[] {
  const numbers: number[] = []
  for (let left = number; left > 0; left = Math.floor(left / 2 ** typeBits))
    numbers.unshift(left % 2 ** typeBits)
  return numbers
}
