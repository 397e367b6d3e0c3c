/** Something that is pending. */
export interface Cancellable {
  cancel(): void
}

/**
 * Tells what is pending that its result is not wanted any more. An AbortSignal does the same, and costs as
 * much as half of a query.
 */
export class Cancellation implements Cancellable {
  cancelled = false
  readonly #pending: Cancellable[] = []

  add(pending: Cancellable): void {
    this.#pending.push(pending)
  }

  remove(pending: Cancellable): void {
    const at = this.#pending.indexOf(pending)
    if (at < 0) return
    const last = this.#pending.pop()!
    if (at < this.#pending.length) this.#pending[at] = last
  }

  cancel(): void {
    this.cancelled = true
    for (let pending = this.#pending.pop(); pending; pending = this.#pending.pop()) pending.cancel()
  }
}
