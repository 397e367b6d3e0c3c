/** What a {@link Sieve} keeps: linked into its queue. Whoever finds one useful sets `visited`, and that is all. */
export interface SieveNode {
  readonly key: string
  readonly bytes: number
  visited: boolean
  newer: SieveNode | undefined
  older: SieveNode | undefined
}

/**
 * What to throw away when there is no more room: SIEVE (Zhang et al., NSDI '24). A queue in order of arrival and a
 * hand that goes from old to new; what was used since the hand last passed is spared once, what was not goes. A hit
 * moves nothing, it only sets a bit, which is why it suits a hot path; and names asked once wash through.
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

  /** Puts it in the place of what has its key, and makes room. Something larger than all the room is not kept. */
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
