import { randomInt } from 'node:crypto'

/** Compares the key of a slot. */
export type SameKey = (slot: number, key: Uint8Array, length: number) => boolean

/**
 * Finds slots by key: open addressing with linear probing, in a table that is never more than half full. The
 * hash has a random seed: which names meet in one place cannot be computed elsewhere.
 */
export class KeyIndex {
  /** The number of a slot plus one; 0 for a free place. */
  readonly #table: Uint32Array
  readonly #mask: number
  readonly #hashes: Uint32Array
  readonly #same: SameKey
  readonly #seed = randomInt(0x1_0000_0000)

  constructor(slots: number, same: SameKey) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(slots, 1) * 2))
    this.#table = new Uint32Array(size)
    this.#mask = size - 1
    this.#hashes = new Uint32Array(slots)
    this.#same = same
  }

  hash(key: Uint8Array, length: number): number {
    let hash = this.#seed | 0
    for (let i = 0; i < length; i++) {
      hash = Math.imul(hash ^ key[i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  /** The slot with this key, or -1. */
  find(hash: number, key: Uint8Array, length: number): number {
    const table = this.#table
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const slot = table[at]! - 1
      if (slot < 0) return -1
      if (this.#hashes[slot] === hash && this.#same(slot, key, length)) return slot
    }
  }

  /** A slot whose key is not in it yet. */
  add(slot: number, hash: number): void {
    let at = hash & this.#mask
    while (this.#table[at] !== 0) at = (at + 1) & this.#mask
    this.#table[at] = slot + 1
    this.#hashes[slot] = hash
  }

  /** What comes behind moves up, so that no search ends too early (Knuth 6.4, algorithm R). */
  remove(slot: number): void {
    const table = this.#table
    const mask = this.#mask
    let gap = this.#hashes[slot]! & mask
    while (table[gap] !== slot + 1) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashes[table[at]! - 1]! & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      table[gap] = table[at]!
      gap = at
    }
    table[gap] = 0
  }
}
