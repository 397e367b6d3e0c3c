const none = 0xffffffff

/**
 * Decides what to evict: SIEVE (Zhang et al., NSDI '24). It has a queue in order of arrival, and a hand that
 * moves from old to new. The hand spares an entry once if it was hit since the last pass, and evicts it
 * otherwise. A hit moves nothing and only sets a bit, which suits a hot path. Names that are queried once
 * pass through. Entries are numbers, slots of the cache.
 */
export class Sieve {
  readonly #newer: Uint32Array
  readonly #older: Uint32Array
  /** 1 for slots with a hit since the last pass. */
  readonly #visited: Uint8Array
  #newest = none
  #oldest = none
  #hand = none

  constructor(slots: number) {
    this.#newer = new Uint32Array(slots)
    this.#older = new Uint32Array(slots)
    this.#visited = new Uint8Array(slots)
  }

  hit(slot: number): void {
    this.#visited[slot] = 1
  }

  add(slot: number): void {
    this.#visited[slot] = 0
    this.#older[slot] = this.#newest
    this.#newer[slot] = none
    if (this.#newest === none) this.#oldest = slot
    else this.#newer[this.#newest] = slot
    this.#newest = slot
  }

  remove(slot: number): void {
    const newer = this.#newer[slot]!
    const older = this.#older[slot]!
    if (this.#hand === slot) this.#hand = newer
    if (newer === none) this.#newest = older
    else this.#older[newer] = older
    if (older === none) this.#oldest = newer
    else this.#newer[older] = newer
  }

  /** The slot to evict, which the hand has passed. There is at least one. */
  victim(): number {
    let slot = this.#hand === none ? this.#oldest : this.#hand
    while (this.#visited[slot]) {
      this.#visited[slot] = 0
      const newer = this.#newer[slot]!
      slot = newer === none ? this.#oldest : newer
    }
    this.#hand = this.#newer[slot]!
    return slot
  }

  /** All slots, the oldest first. */
  *slots(): Generator<number> {
    for (let slot = this.#oldest; slot !== none; slot = this.#newer[slot]!) yield slot
  }
}
