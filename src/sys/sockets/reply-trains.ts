/** Of struct slot (native/addon/inet.c), in words: where each thing is. */
const word = { reply: 1, peer: 2, localEnd: 13, next: 13, follows: 14 }

/** A datagram of 64 KiB is the longest that the kernel cuts up, headers included (net/ipv4/udp.c). */
const longest = 65_000

/**
 * Finds replies of one batch that have the same length, and the same way to go: the kernel takes such a train through
 * its layers as one datagram, which it cuts up at the end (UDP_SEGMENT).
 */
export class ReplyTrains {
  readonly #words: Uint32Array
  readonly #slotWords: number
  /** By a hash of where they go and how long they are: the last slot of a train, or -1. */
  readonly #last = new Int16Array(256)
  /** Bytes of the trains at the same places. */
  readonly #bytes = new Uint16Array(256)

  constructor(words: Uint32Array, slotSize: number) {
    this.#words = words
    this.#slotWords = slotSize / 4
  }

  /** Forgets all of them. */
  clear(): void {
    this.#last.fill(-1)
  }

  /** The slot has a reply: it goes with those that it fits behind. */
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

  /** Length, peer and own address, which lie side by side. */
  #match(a: number, b: number): boolean {
    for (let at = word.reply; at < word.localEnd; at++)
      if (this.#words[a + at] !== this.#words[b + at]) return false
    return true
  }
}
