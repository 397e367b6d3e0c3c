/** An entry of a {@link Sieve}, linked into its queue. A hit sets `visited`, and nothing else. */
export interface SieveNode {
  readonly key: string
  readonly bytes: number
  visited: boolean
  newer: SieveNode | undefined
  older: SieveNode | undefined
}

/**
 * Decides what to evict: SIEVE (Zhang et al., NSDI '24). It has a queue in order of arrival, and a hand that
 * moves from old to new. The hand spares an entry once if it was hit since the last pass, and evicts it
 * otherwise. A hit moves nothing and only sets a bit, which suits a hot path. Names that are queried once
 * pass through.
 */
export class Sieve<N extends SieveNode> {
  readonly #nodes = new Map<string, N>()
  readonly #limit: { readonly entries: number; readonly bytes: number }
  #newest: SieveNode | undefined
  #oldest: SieveNode | undefined
  #hand: SieveNode | undefined
  bytes = 0
  evictions = 0

  constructor(limit: { readonly entries: number; readonly bytes: number }) {
    this.#limit = limit
  }

  get size(): number {
    return this.#nodes.size
  }

  get(key: string): N | undefined {
    return this.#nodes.get(key)
  }

  values(): IterableIterator<N> {
    return this.#nodes.values()
  }

  /**
   * Stores a node in place of the one with its key, and evicts others to make room. A node larger than the
   * cache is not stored.
   */
  put(node: N): void {
    const before = this.#nodes.get(node.key)
    if (before) this.remove(before)
    if (node.bytes > this.#limit.bytes || this.#limit.entries < 1) return
    while (this.size >= this.#limit.entries || this.bytes + node.bytes > this.#limit.bytes) this.#evict()
    node.older = this.#newest
    node.newer = undefined
    if (this.#newest) this.#newest.newer = node
    else this.#oldest = node
    this.#newest = node
    this.#nodes.set(node.key, node)
    this.bytes += node.bytes
  }

  remove(node: SieveNode): void {
    if (!this.#nodes.delete(node.key)) return
    this.bytes -= node.bytes
    if (this.#hand === node) this.#hand = node.newer
    if (node.newer) node.newer.older = node.older
    else this.#newest = node.older
    if (node.older) node.older.newer = node.newer
    else this.#oldest = node.newer
    node.newer = undefined
    node.older = undefined
  }

  #evict(): void {
    let node = this.#hand ?? this.#oldest
    while (node?.visited) {
      node.visited = false
      node = node.newer ?? this.#oldest
    }
    if (!node) return
    this.#hand = node.newer
    this.remove(node)
    this.evictions++
  }
}
