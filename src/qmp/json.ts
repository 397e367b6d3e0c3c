import { parse, stringify } from 'json-custom-numbers'

/** An integer that may be beyond the exact ones, outside of strings. Base64, the longest of strings, has none of `[:, `. */
const longInteger = /[[:,\s]-?\d{16}/

/** Characters of the longest integer of 64 bits, -9223372036854775808 or 18446744073709551615. */
const longestInteger = 20

/**
 * The parser for long integers would take this key's value for the object's prototype. QEMU has no such key, nor does
 * it escape letters (qemu `qobject/json-writer.c`), which could spell it too.
 */
const prototypeKey = /"__proto__"\s*:|(?<!\\)(?:\\\\)*\\u00[4-7]/

/**
 * The value of a JSON text. An integer of up to 64 bits is a bigint where a number could not hold it exactly. Only texts
 * that may have one go through the parser that is slower than the built-in one.
 */
export function parseJson(text: string): unknown {
  if (!longInteger.test(text)) return JSON.parse(text)
  if (prototypeKey.test(text)) throw new SyntaxError('the key __proto__, or a letter that is escaped')
  return parse(text, undefined, exactNumber)
}

function exactNumber(_key: unknown, text: string): number | bigint {
  const number = Number(text)
  if (Number.isSafeInteger(number) || text.length > longestInteger || !/^-?\d+$/.test(text)) return number
  return BigInt(text)
}

/** A value as compact JSON, bigints as integers. Throws a TypeError for numbers that would arrive as others. */
export function jsonOf(value: object): string {
  return stringify(value, null, undefined, exactText)
}

function exactText(_key: string, value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return undefined
  if (!Number.isFinite(value)) throw new TypeError(`JSON has no number ${value}`)
  const text = String(value)
  if (!/^-?\d+$/.test(text)) return undefined
  throw new TypeError(`the number ${text} is beyond those that are exact: give a bigint`)
}
