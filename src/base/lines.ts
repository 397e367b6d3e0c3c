import { XclusterError } from './errors/errors.ts'

const newline = 0x0a
const decoder = new TextDecoder()

/**
 * Cuts a stream of bytes into lines of UTF-8. A line is delivered when it is complete; the work is linear in
 * its length.
 */
export class LineSplitter {
  readonly #limit: number
  #parts: Uint8Array[] = []
  #held = 0

  constructor(limit = 16 * 1024 * 1024) {
    this.#limit = limit
  }

  /**
   * The lines that these bytes complete, without their newlines. Throws `LINE_TOO_LONG` when the unfinished
   * rest exceeds the limit.
   */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(this.#join(bytes.subarray(start, end)))
      start = end + 1
    }
    this.#hold(bytes.subarray(start))
    return lines
  }

  #hold(rest: Uint8Array): void {
    if (rest.length === 0) return
    this.#held += rest.length
    if (this.#held > this.#limit)
      throw new XclusterError({
        code: 'LINE_TOO_LONG',
        op: 'read line',
        reason: `no newline within ${this.#limit} bytes`,
      })
    this.#parts.push(rest.slice())
  }

  #join(last: Uint8Array): string {
    if (this.#parts.length === 0) return decoder.decode(last)
    const whole = new Uint8Array(this.#held + last.length)
    let at = 0
    for (const part of [...this.#parts, last]) {
      whole.set(part, at)
      at += part.length
    }
    this.#parts = []
    this.#held = 0
    return decoder.decode(whole)
  }
}
