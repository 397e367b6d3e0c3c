import { badValue } from '../errors.ts'
import { concatenation } from '../set/concat.ts'
import { padded, type Range } from '../set/span.ts'
import { take } from '../takes.ts'
import type { Field } from './fields.ts'
import { type Matcher, matcher } from './vocabulary.ts'

interface Fielded<T> {
  readonly field: Field<T>
}

/** A value or range for each of several fields. */
type Values<M> = { readonly [I in keyof M]: M[I] extends Fielded<infer T> ? T | Range<T> : never }

/** The bytes of all registers. */
const registerBytes = 64

/**
 * Several fields as one, for sets and maps of concatenations:
 * `concat(match.ip.saddr, match.tcp.dport)(['10.0.0.1', 80])` is `ip saddr . tcp dport { 10.0.0.1 . 80 }`.
 */
export function concat<const M extends readonly Fielded<unknown>[]>(...matchers: M): Matcher<Values<M>> {
  for (const [at, one] of matchers.entries()) take('build concatenation', one, ['field', `field ${at + 1}`])
  const fields = matchers.map(({ field }) => field)
  const name = fields.map(field => field.name).join(' . ')
  if (fields.length < 2) throw badValue('concat', 'a concatenation has at least two fields')
  const type = concatenation(fields.map(field => field.type))
  if (type.length > registerBytes)
    throw badValue(name, `it has ${type.length} bytes, and registers ${registerBytes}`)
  return matcher<unknown>({
    name,
    type,
    need(rule) {
      for (const field of fields) field.need?.(rule)
    },
    load(rule, _, at) {
      let next = at
      for (const field of fields) {
        field.load(rule, field.type.length, next)
        next += padded(field.type.length)
      }
    },
  }) as unknown as Matcher<Values<M>>
}
