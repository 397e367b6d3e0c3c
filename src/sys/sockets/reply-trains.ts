/** Offsets in struct slot (native/addon/inet.c), in 32-bit words. */
const word = { reply: 1, peer: 2, localEnd: 13, next: 13, follows: 14 }

/** The kernel splits datagrams of at most 64 KiB, headers included (net/ipv4/udp.c). */
const longest = 65_000

/**
 * Finds replies of one batch with the same length and the same peer. The kernel takes such a train through
 * its layers as one datagram, and splits it at the end (UDP_SEGMENT).
 */
export class ReplyTrains {
  readonly #words: Uint32Array
  readonly #slotWords: number
  /** The last slot of a train, or -1, by a hash of its peer and length. */
  readonly #last = new Int16Array(256)
  /** The bytes of the train at the same index. */
  readonly #bytes = new Uint16Array(256)

  constructor(words: Uint32Array, slotSize: number) {
    this.#words = words
    this.#slotWords = slotSize / 4
  }

  /** Forgets all trains. */
  clear(): void {
    this.#last.fill(-1)
  }

  /** Adds the reply in a slot to the train that it fits, or starts a new train. */
  add(slot: number): void {
    const words = this.#words
    const start = slot * this.#slotWords
    const length = words[start + word.reply]!
    const place = ((words[start + word.peer]! >>> 16) ^ (length * 31)) & 255
    const before = this.#last[place]!
    const joins =
      before >= 0 && this.#bytes[place]! + length <= longest && this.#match(before * this.#slotWords, start)
    words[start + word.next] = 0
    words[start + word.follows] = joins ? 1 : 0
    if (joins) words[before * this.#slotWords + word.next] = slot + 1
    this.#bytes[place] = length + (joins ? this.#bytes[place]! : 0)
    this.#last[place] = slot
  }

  /** Compares length, peer and own address, which are adjacent. */
  #match(a: number, b: number): boolean {
    for (let at = word.reply; at < word.localEnd; at++)
      if (this.#words[a + at] !== this.#words[b + at]) return false
    return true
  }
}
