/** Cuts a TCP stream into messages, each behind its length in two bytes (RFC 1035 §4.2.2). Holds one at most. */
export class Frames {
  /** What of a message has come so far, its length first; the buffer grows with what came, not with what was announced. */
  #buffer = Buffer.alloc(0)
  #held = 0

  /** The messages that these bytes complete. They stay good: none is a view of a buffer that is used again. */
  push(bytes: Uint8Array): Buffer[] {
    const messages: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const wanted = this.#held < 2 ? 2 : 2 + this.#buffer.readUInt16BE(0)
      const end = Math.min(bytes.length, at + wanted - this.#held)
      this.#hold(bytes.subarray(at, end))
      at = end
      if (this.#held >= 2 && this.#held === 2 + this.#buffer.readUInt16BE(0)) {
        messages.push(Buffer.from(this.#buffer.subarray(2, this.#held)))
        this.#held = 0
      }
    }
    return messages
  }

  #hold(part: Uint8Array): void {
    const length = this.#held + part.length
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#buffer.length * 2, 512))
      this.#buffer.copy(larger, 0, 0, this.#held)
      this.#buffer = larger
    }
    this.#buffer.set(part, this.#held)
    this.#held = length
  }
}

/** A message as it goes over TCP. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(message.length + 2)
  frame.writeUInt16BE(message.length, 0)
  frame.set(message, 2)
  return frame
}
