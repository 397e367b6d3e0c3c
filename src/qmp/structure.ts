import { QmpError } from './errors.ts'

/** How much structure a line may have. */
export interface StructureLimits {
  /** Lists and objects in each other. */
  readonly depth: number
  /** Lists, objects, and values in them. */
  readonly values: number
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Counts the structure of a line of JSON before it is parsed, as its bytes arrive. A parsed value takes up to thirty
 * times the memory of its text: 48 MiB of `[],[],…` are gigabytes. Strings, the only long part of a good message, are
 * skipped at the speed of memchr(3).
 */
export class Structure {
  readonly #limits: StructureLimits
  #depth = 0
  #values = 0
  #inString = false
  /** The bytes so far end in a backslash that escapes the next one. */
  #escaping = false

  constructor(limits: StructureLimits) {
    this.#limits = limits
  }

  /** A new line begins. */
  reset(): void {
    this.#depth = 0
    this.#values = 0
    this.#inString = false
    this.#escaping = false
  }

  /** Takes the next bytes of the line. Throws QMP_TOO_COMPLEX beyond the limits. */
  add(bytes: Uint8Array): void {
    const { depth, values } = this.#limits
    for (let at = 0; at < bytes.length; ) {
      if (this.#inString) {
        at = this.#skipString(bytes, at)
        continue
      }
      const byte = bytes[at++]
      if (byte === quote) this.#inString = true
      else if (byte === closeList || byte === closeObject) this.#depth--
      else if (byte === comma) this.#values++
      else if (byte === openList || byte === openObject) {
        this.#values++
        this.#depth++
      } else continue
      if (this.#depth > depth) throw tooComplex(`lists and objects more than ${depth} deep`)
      if (this.#values > values) throw tooComplex(`more than ${values} values`)
    }
  }

  /** The place after the end of the string, or of the bytes. A quote after an odd number of backslashes is inside. */
  #skipString(bytes: Uint8Array, from: number): number {
    const start = this.#escaping ? from + 1 : from
    this.#escaping = false
    const found = bytes.indexOf(quote, start)
    const end = found < 0 ? bytes.length : found
    let before = end
    while (before > start && bytes[before - 1] === backslash) before--
    const isEscaped = (end - before) % 2 === 1
    if (found < 0) this.#escaping = isEscaped
    else if (!isEscaped) this.#inString = false
    return end + 1
  }
}

function tooComplex(what: string): QmpError {
  return new QmpError({ code: 'QMP_TOO_COMPLEX', op: 'read', target: 'a line', reason: `it has ${what}` })
}
