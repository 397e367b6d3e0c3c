import { printable } from './printable.ts'

/**
 * Says what is wrong with a value of a peer or an argument of a call, or undefined when it has the shape. `at` is its
 * place: `return.pid`; empty for the value itself.
 */
export type Shape = (value: unknown, at: string) => string | undefined

const named = (what: string, is: (value: unknown) => boolean): Shape => {
  return (value, at) => (is(value) ? undefined : `${at} is ${kindOf(value)}, not ${what}`)
}

/** The place of a field. It is only made for a refusal: every call is checked, and nearly all are right. */
const inside = (at: string, name: string) => (at === '' ? name : `${at}.${name}`)

type Shapes = Readonly<Record<string, Shape>>

/** Shapes of values: composed, they describe a message, or what a call takes. */
export const shape = {
  /** What a test accepts, in words that follow `not`: `a list of addresses`. */
  of: named,
  /** The same of a word, which the refusal shows: `a type of values, or a number`. */
  word(what: string, is: (value: unknown) => boolean): Shape {
    return (value, at) => (is(value) ? undefined : `${at} is ${saidOf(value)}, not ${what}`)
  },
  /** The same, of a value that is called so. */
  called(name: string, wanted: Shape): Shape {
    return value => wanted(value, name)
  },
  text: named('a string', value => typeof value === 'string'),
  /** Any number: its range is checked where it is used. */
  number: named('a number', value => typeof value === 'number'),
  bigint: named('a bigint, such as 5n', value => typeof value === 'bigint'),
  action: named('a function', value => typeof value === 'function'),
  bytes: named('bytes (a Uint8Array)', value => value instanceof Uint8Array),
  flag: named('true or false', value => typeof value === 'boolean'),
  /** An integer of 64 bits: a bigint beyond the numbers that are exact. */
  integer: named('an integer', value => Number.isSafeInteger(value) || typeof value === 'bigint'),
  /** A whole number that JavaScript has exactly. */
  whole: named('a whole number', Number.isSafeInteger),
  /** The same from 0. */
  count: named('a whole number from 0', value => Number.isSafeInteger(value) && (value as number) >= 0),
  /** An object with these fields, and any others. A field whose shape is in `optional` may be absent. */
  record(fields: Shapes, optional: Shapes = {}): Shape {
    const required = Object.entries(fields)
    const allowed = new Map(Object.entries(optional))
    return (value, at) => {
      if (!isRecord(value)) return `${at} is ${kindOf(value)}, not an object`
      for (const [name, check] of required) {
        const field = Object.hasOwn(value, name) ? value[name] : undefined
        if (check(field, '') !== undefined) return check(field, inside(at, name))
      }
      if (allowed.size === 0) return undefined
      for (const name in value) {
        const check = allowed.get(name)
        const field = value[name]
        if (check === undefined || field === undefined || check(field, '') === undefined) continue
        if (Object.hasOwn(value, name)) return check(field, inside(at, name))
      }
      return undefined
    }
  },
  /** An object that may lack any of these fields, or nothing at all. */
  options(optional: Shapes = {}): Shape {
    const given = shape.record({}, optional)
    return (value, at) => (value === undefined ? undefined : given(value, at))
  },
  oneOf(choices: readonly unknown[]): Shape {
    const listed = choices.map(choice => (typeof choice === 'string' ? `'${choice}'` : `${choice}`))
    const known = `one of ${listed.join(', ')}`
    return (value, at) => {
      if (choices.includes(value)) return undefined
      return `${at} is ${saidOf(value)}, not ${known}`
    }
  },
  list(each: Shape): Shape {
    return (value, at) => {
      if (!Array.isArray(value)) return `${at} is ${kindOf(value)}, not a list`
      for (let index = 0; index < value.length; index++) {
        if (each(value[index], '') !== undefined) return each(value[index], `${at}[${index}]`)
      }
      return undefined
    }
  },
} as const

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text as it is, if it is not long; any other value in a few words. */
const saidOf = (value: unknown): string =>
  typeof value === 'string' ? `'${printable(value, 40)}'` : kindOf(value)

/** A value in a few words, whatever its size. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
}
