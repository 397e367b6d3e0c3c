import { QmpError } from './errors.ts'
import { Structure, type StructureLimits } from './structure.ts'

const NEWLINE = 0x0a
const FLUSH = 0xff
/** The bytes of an unfinished line are kept in blocks, up to this size: a line never takes twice its length. */
const BLOCK = 256 * 1024

export interface LineLimits {
  /** The most bytes of a line. A function is called when a line reaches `usual`. */
  readonly length: number | { readonly usual: number; readonly now: () => number }
  /** Absent: any structure. */
  readonly structure?: StructureLimits
}

/**
 * Assembles lines from pieces of a stream that end anywhere. Every byte is read and copied a fixed
 * number of times, however small the pieces are: `query-qmp-schema` is one line of 207 KB.
 *
 * 0xFF never occurs in UTF-8. In a line it means that everything before it is to be discarded
 * (qemu `docs/interop/qemu-ga-ref`, guest-sync-delimited).
 */
export class LineAssembler {
  readonly #length: LineLimits['length']
  readonly #structure: Structure | undefined
  /** All are full, except the last one. */
  #blocks: Buffer[] = []
  #held = 0
  /** Free bytes in the last block. */
  #free = 0
  #skipping = false

  constructor(limits: LineLimits | number) {
    const { length, structure }: LineLimits = typeof limits === 'number' ? { length: limits } : limits
    this.#length = length
    this.#structure = structure && new Structure(structure)
  }

  /**
   * Calls `take` with every line that `piece` completes, without its line end. `piece` can be reused after
   * the call. Throws QMP_TOO_LONG or QMP_TOO_COMPLEX for a line beyond the limits, finished or not.
   */
  push(piece: Uint8Array, take: (line: string) => void): void {
    let start = 0
    try {
      for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
        const line = this.#complete(piece.subarray(start, end))
        start = end + 1
        if (line !== undefined) take(line)
      }
      if (start < piece.length) this.#hold(start === 0 ? piece : piece.subarray(start))
    } catch (failure) {
      this.#drop()
      throw failure
    }
  }

  /** Nothing waits for the line that has begun: drops it, with what is still to come of it. */
  dropLine(): void {
    if (this.#held === 0) return
    this.#skipping = true
    this.#blocks = []
    this.#free = 0
  }

  /** Undefined for a line that is skipped. */
  #complete(rest: Uint8Array): string | undefined {
    const last = this.#checked(rest)
    if (this.#skipping) {
      this.#drop()
      return undefined
    }
    const whole = this.#held === 0 ? last : Buffer.concat([...this.#kept(), last], this.#held + last.length)
    this.#drop()
    return Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString()
  }

  #hold(bytes: Uint8Array): void {
    let rest = this.#checked(bytes)
    if (this.#skipping) this.#held += rest.length
    while (rest.length > 0 && !this.#skipping) {
      if (this.#free === 0) this.#addBlock(rest.length)
      const block = this.#blocks.at(-1)!
      const fits = rest.subarray(0, this.#free)
      block.set(fits, block.length - this.#free)
      this.#free -= fits.length
      this.#held += fits.length
      rest = rest.subarray(fits.length)
    }
  }

  /** As large as all before it, within limits. */
  #addBlock(least: number): void {
    this.#free = Math.min(BLOCK, Math.max(1024, least, this.#held))
    this.#blocks.push(Buffer.allocUnsafeSlow(this.#free))
  }

  /** The bytes of these that belong to the line, which must be within its limits. */
  #checked(bytes: Uint8Array): Uint8Array {
    const flush = bytes.lastIndexOf(FLUSH)
    if (flush >= 0) this.#drop()
    const kept = flush >= 0 ? bytes.subarray(flush + 1) : bytes
    const limit = this.#limit(this.#held + kept.length)
    if (this.#held + kept.length > limit) throw tooLong(limit)
    this.#structure?.add(kept)
    return kept
  }

  #kept(): Buffer[] {
    const last = this.#blocks.at(-1)!
    return [...this.#blocks.slice(0, -1), last.subarray(0, last.length - this.#free)]
  }

  #limit(length: number): number {
    if (typeof this.#length === 'number') return this.#length
    return length > this.#length.usual ? this.#length.now() : this.#length.usual
  }

  #drop(): void {
    this.#blocks = []
    this.#held = 0
    this.#free = 0
    this.#skipping = false
    this.#structure?.reset()
  }
}

function tooLong(limit: number): QmpError {
  return new QmpError({
    code: 'QMP_TOO_LONG',
    op: 'read',
    target: 'a line',
    reason: `it is longer than ${limit} bytes`,
  })
}
