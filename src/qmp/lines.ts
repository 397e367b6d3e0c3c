import { QmpError } from './errors.ts'

const NEWLINE = 0x0a
const FLUSH = 0xff
const KEEP = 64 * 1024

/**
 * Assembles lines from pieces of a stream that end anywhere. Every byte is read and copied a fixed
 * number of times, however small the pieces are: `query-qmp-schema` is one line of 207 KB.
 *
 * 0xFF never occurs in UTF-8. In a line it means that everything before it is to be discarded
 * (qemu `docs/interop/qemu-ga-ref`, guest-sync-delimited).
 */
export class LineAssembler {
  readonly #limit: number
  #held = Buffer.alloc(0)
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Calls `take` with every line that `piece` completes, without its line end. `piece` can be reused after
   * the call.
   */
  push(piece: Uint8Array, take: (line: string) => void): void {
    let start = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      const rest = piece.subarray(start, end)
      start = end + 1
      take(this.#length === 0 ? decode(rest) : this.#complete(rest))
    }
    if (start < piece.length) this.#hold(start === 0 ? piece : piece.subarray(start))
  }

  #complete(rest: Uint8Array): string {
    this.#hold(rest)
    const line = decode(this.#held.subarray(0, this.#length))
    this.#length = 0
    if (this.#held.length > KEEP) this.#held = Buffer.alloc(0)
    return line
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#limit) throw tooLong(this.#limit)
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#held.length * 2))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    this.#held.set(bytes, this.#length)
    this.#length = length
  }
}

function decode(line: Uint8Array): string {
  const start = line.lastIndexOf(FLUSH) + 1
  return Buffer.from(line.buffer, line.byteOffset + start, line.length - start).toString()
}

function tooLong(limit: number): QmpError {
  return new QmpError({
    code: 'QMP_TOO_LONG',
    op: 'read',
    target: 'a line',
    reason: `a line is longer than ${limit} bytes`,
  })
}
