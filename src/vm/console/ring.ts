/** The last `capacity` bytes of a stream, in memory that does not grow. */
export class Ring {
  readonly #bytes: Uint8Array
  /** The number of bytes ever pushed. */
  #total = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  push(bytes: Uint8Array): void {
    const capacity = this.#bytes.length
    const kept = bytes.subarray(Math.max(0, bytes.length - capacity))
    const at = (this.#total + bytes.length - kept.length) % capacity
    const upToEnd = kept.subarray(0, capacity - at)
    this.#bytes.set(upToEnd, at)
    this.#bytes.set(kept.subarray(upToEnd.length), 0)
    this.#total += bytes.length
  }

  /** A copy of the bytes, oldest first. */
  contents(): Uint8Array {
    const capacity = this.#bytes.length
    if (this.#total <= capacity) return this.#bytes.slice(0, this.#total)
    const start = this.#total % capacity
    const contents = new Uint8Array(capacity)
    contents.set(this.#bytes.subarray(start), 0)
    contents.set(this.#bytes.subarray(0, start), capacity - start)
    return contents
  }
}
