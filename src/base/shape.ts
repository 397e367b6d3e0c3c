/** Says what is wrong with a value from a peer, or undefined when it has the shape. `at` is its place: `return.pid`. */
export type Shape = (value: unknown, at: string) => string | undefined

const named = (what: string, is: (value: unknown) => boolean): Shape => {
  return (value, at) => (is(value) ? undefined : `${at} is ${kindOf(value)}, not ${what}`)
}

/** Shapes of values that a peer sends: composed, they describe a message. */
export const shape = {
  text: named('a string', value => typeof value === 'string'),
  flag: named('true or false', value => typeof value === 'boolean'),
  /** An integer of 64 bits: a bigint beyond the numbers that are exact. */
  integer: named('an integer', value => Number.isSafeInteger(value) || typeof value === 'bigint'),
  /** A whole number that JavaScript has exactly. */
  whole: named('a whole number', Number.isSafeInteger),
  /** The same from 0. */
  count: named('a whole number from 0', value => Number.isSafeInteger(value) && (value as number) >= 0),
  /** An object with these fields, and any others. A field whose shape is in `optional` may be absent. */
  record(fields: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape {
    const known = [...Object.entries(fields), ...Object.entries(optional)]
    return (value, at) => {
      if (!isRecord(value)) return `${at} is ${kindOf(value)}, not an object`
      for (const [name, check] of known) {
        const field = Object.hasOwn(value, name) ? value[name] : undefined
        const wrong =
          field === undefined && Object.hasOwn(optional, name) ? undefined : check(field, `${at}.${name}`)
        if (wrong !== undefined) return wrong
      }
      return undefined
    }
  },
  list(each: Shape): Shape {
    return (value, at) => {
      if (!Array.isArray(value)) return `${at} is ${kindOf(value)}, not a list`
      for (let index = 0; index < value.length; index++) {
        const wrong = each(value[index], `${at}[${index}]`)
        if (wrong !== undefined) return wrong
      }
      return undefined
    }
  },
} as const

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value in a few words, whatever its size. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
}
