import type { BufferPart } from '../../sys/index.ts'

/** Two bytes of length come before every message (RFC 1035 §4.2.2). */
export const prefix = 2
/** The size of the longest message with its prefix. */
export const longestFrame = prefix + 0xffff

/**
 * Cuts a stream into messages. It holds what has arrived of the next message and no more, whatever its length
 * field says: memory grows with received bytes only.
 */
export class Frames {
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** True when `#bytes` may be written to. */
  #own = false

  /** True in the middle of a message. */
  get partial(): boolean {
    return this.#end > this.#start
  }

  /** Takes the next bytes. It keeps them without a copy when nothing is left of those before. */
  push(piece: Buffer): void {
    const left = this.#end - this.#start
    if (left === 0) {
      this.#bytes = piece
      this.#start = 0
      this.#end = piece.length
      this.#own = false
      return
    }
    this.#makeRoom(left, piece.length)
    piece.copy(this.#bytes, this.#end)
    this.#end += piece.length
  }

  /**
   * Moves `part` to the next complete message; false when there is none. The message stays there until the
   * next `push`.
   */
  next(part: BufferPart): boolean {
    const left = this.#end - this.#start
    if (left < prefix) return false
    const length = (this.#bytes[this.#start]! << 8) | this.#bytes[this.#start + 1]!
    if (left < prefix + length) return false
    part.bytes = this.#bytes
    part.at = this.#start + prefix
    part.length = length
    this.#start += prefix + length
    return true
  }

  /** Takes the next bytes, and returns copies of the messages that they complete. */
  messages(piece: Uint8Array): Buffer[] {
    this.push(Buffer.from(piece))
    const part: BufferPart = { bytes: this.#bytes, at: 0, length: 0 }
    const found: Buffer[] = []
    while (this.next(part)) found.push(Buffer.from(part.bytes.subarray(part.at, part.at + part.length)))
    return found
  }

  /** The buffer doubles: a message that arrives byte by byte is not copied for every byte. */
  #makeRoom(left: number, more: number): void {
    if (this.#own && this.#end + more <= this.#bytes.length) return
    const fits = this.#own && left + more <= this.#bytes.length
    const bytes = fits ? this.#bytes : Buffer.allocUnsafeSlow(Math.max(512, 2 * (left + more)))
    this.#bytes.copy(bytes, 0, this.#start, this.#end)
    this.#bytes = bytes
    this.#start = 0
    this.#end = left
    this.#own = true
  }
}

/** A message as it is sent over TCP. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefix + message.length)
  frame.writeUInt16BE(message.length, 0)
  frame.set(message, prefix)
  return frame
}
