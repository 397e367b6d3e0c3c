/**
 * Runs pieces of work that share a key one after the other, in the order of the calls, and others side by side. A
 * failed one does not prevent the next. Work must not wait for a turn on a key that it holds, nor hold one while it
 * waits for another, except in one order for all.
 */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<unknown>>()

  /** Takes the turns on all keys together. */
  run<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T> {
    const turn = Promise.all(keys.map(key => this.#last.get(key))).then(work)
    const end = turn.catch(() => {})
    for (const key of keys) this.#last.set(key, end)
    void end.then(() => {
      for (const key of keys) if (this.#last.get(key) === end) this.#last.delete(key)
    })
    return turn
  }

  /** Resolves when no work runs or waits. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }
}
