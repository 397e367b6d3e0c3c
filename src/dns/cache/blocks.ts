/** The size of a block in bytes. Most answers fit into one or two. */
const blockBytes = 64
const blockWords = blockBytes / 4
/** Blocks of a segment: 1 MiB, which is allocated when it is needed. */
const perSegment = 1 << 14
/** What a block costs besides its bytes: the number of the next one. */
const linkBytes = 4

interface Segment {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** By block: the next one of its chain, or of the free ones; 0 for none. */
  readonly next: Uint32Array
}

/**
 * Bytes in chains of small blocks, outside JavaScript's heap: a hundred thousand answers are no objects that
 * a garbage collector visits. Chains fit wherever anything was freed, so memory does not fragment, and no
 * size has a class of its own that others could not use.
 */
export class Blocks {
  readonly #segments: Segment[] = []
  /** Blocks are numbered from 1 on. */
  #fresh = 1
  #free = 0
  #inUse = 0
  readonly #keyAt: number

  /** `keyAt`: the offset of the key in each chain, within its first block. */
  constructor(keyAt: number) {
    this.#keyAt = keyAt
  }

  /** The memory of so many bytes. */
  static cost(length: number): number {
    return Math.ceil(length / blockBytes) * (blockBytes + linkBytes)
  }

  /** The memory of all blocks in use. */
  get bytes(): number {
    return this.#inUse * (blockBytes + linkBytes)
  }

  /** Copies words into a new chain. Returns its first block. */
  store(from: Uint32Array, length: number): number {
    const first = this.#take()
    let block = first
    for (let word = 0, left = length; ; word += blockWords) {
      const { words, next } = this.#segmentOf(block)
      const at = (block % perSegment) * blockWords
      for (let i = 0; i < blockWords; i++) words[at + i] = from[word + i]!
      left -= blockBytes
      if (left <= 0) return first
      const following = this.#take()
      next[block % perSegment] = following
      block = following
    }
  }

  /** Copies so many bytes of a chain, rounded up to whole blocks. */
  load(first: number, length: number, into: Uint32Array): void {
    let block = first
    for (let word = 0, left = length; left > 0; word += blockWords, left -= blockBytes) {
      const { words, next } = this.#segmentOf(block)
      const at = (block % perSegment) * blockWords
      for (let i = 0; i < blockWords; i++) into[word + i] = words[at + i]!
      block = next[block % perSegment]!
    }
  }

  /** Compares the key of a chain. */
  matches(first: number, key: Uint8Array, length: number): boolean {
    const from = this.#keyAt
    let { bytes, next } = this.#segmentOf(first)
    let block = first
    let at = (block % perSegment) * blockBytes + from
    let left = blockBytes - from
    for (let i = 0; i < length; i++) {
      if (left === 0) {
        block = next[block % perSegment]!
        ;({ bytes, next } = this.#segmentOf(block))
        at = (block % perSegment) * blockBytes
        left = blockBytes
      }
      if (bytes[at] !== key[i]) return false
      at++
      left--
    }
    return true
  }

  release(first: number): void {
    for (let block = first; block !== 0; ) {
      const { next } = this.#segmentOf(block)
      const following = next[block % perSegment]!
      next[block % perSegment] = this.#free
      this.#free = block
      this.#inUse--
      block = following
    }
  }

  #take(): number {
    this.#inUse++
    const block = this.#free
    if (block !== 0) {
      const { next } = this.#segmentOf(block)
      this.#free = next[block % perSegment]!
      next[block % perSegment] = 0
      return block
    }
    if (this.#fresh >= this.#segments.length * perSegment) this.#segments.push(newSegment())
    return this.#fresh++
  }

  #segmentOf(block: number): Segment {
    return this.#segments[(block / perSegment) | 0]!
  }
}

function newSegment(): Segment {
  const memory = new ArrayBuffer(perSegment * blockBytes)
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    next: new Uint32Array(perSegment),
  }
}
