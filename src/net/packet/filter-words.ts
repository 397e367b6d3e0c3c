import { NetError } from '../errors.ts'

/** A word of a filter, or one of `(`, `)`, `!`, `&&`, `||`. */
export interface Word {
  readonly text: string
  /** Of its first character, from 1 on. */
  readonly column: number
}

/** Splits a filter into words. Never fails: what a word means is seen later. */
function wordsOf(filter: string): Word[] {
  const found = filter.matchAll(/[()]|&&|\|\||!(?!=)|[^\s()!&|]+|\S/g)
  return Array.from(found, ({ 0: text, index }) => ({ text, column: index + 1 }))
}

/** The words of a filter, one after another. */
export class FilterReader {
  readonly #filter: string
  readonly #words: readonly Word[]
  #at = 0

  constructor(filter: string) {
    this.#filter = filter
    this.#words = wordsOf(filter)
  }

  /** The next word, in small letters; undefined at the end. */
  get next(): string | undefined {
    return this.#words[this.#at]?.text.toLowerCase()
  }

  /** Takes the next word if it is one of these. */
  take<const T extends string>(...words: readonly T[]): T | undefined {
    const next = this.next
    if (next === undefined || !(words as readonly string[]).includes(next)) return undefined
    this.#at++
    return next as T
  }

  /** Takes the next word. `what` says what it must be. */
  must<T>(what: string, read: (word: string) => T | undefined): T {
    const next = this.next
    const value = next === undefined ? undefined : read(next)
    if (value === undefined) throw this.refusal(`${this.#shown()} is not ${what}`)
    this.#at++
    return value
  }

  /** Takes the next word if it can be read. */
  may<T>(read: (word: string) => T | undefined): T | undefined {
    const value = this.next === undefined ? undefined : read(this.next)
    if (value !== undefined) this.#at++
    return value
  }

  /** Where it is, for {@link back}. */
  mark(): number {
    return this.#at
  }

  back(mark: number): void {
    this.#at = mark
  }

  /** The error for the next word. */
  refusal(reason: string): NetError {
    const column = this.#words[this.#at]?.column ?? this.#filter.length + 1
    return new NetError({
      code: 'BAD_FILTER',
      kind: 'usage',
      op: 'read filter',
      target: `'${this.#filter}'`,
      reason: `column ${column}: ${reason}`,
      remedy: 'Write it as for tcpdump: tcp port 80 and host 192.168.1.2',
    })
  }

  #shown(): string {
    const word = this.#words[this.#at]
    return word ? `'${word.text}'` : 'the end'
  }
}
