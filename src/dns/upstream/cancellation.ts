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
  /** Nearly always there is one. */
  #pending: Cancellable | undefined
  #others: Cancellable[] | undefined

  add(pending: Cancellable): void {
    if (this.#pending === undefined) this.#pending = pending
    else if (this.#others === undefined) this.#others = [pending]
    else this.#others.push(pending)
  }

  remove(pending: Cancellable): void {
    if (this.#pending === pending) {
      this.#pending = this.#others?.pop()
      return
    }
    const at = this.#others?.indexOf(pending) ?? -1
    if (at >= 0) this.#others!.splice(at, 1)
  }

  cancel(): void {
    this.cancelled = true
    for (let pending = this.#pending; pending; pending = this.#pending) {
      this.remove(pending)
      pending.cancel()
    }
  }
}
