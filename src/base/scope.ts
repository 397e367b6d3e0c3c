type Close = () => void | Promise<void>

/**
 * What was opened, to be closed in reverse. Serves as rollback while something is being built, and as the
 * `close` of what was built. One failing close does not stop the others; `close()` twice is fine.
 *
 * ```ts
 * await using scope = new Scope()
 * const tap = scope.add(await openTap('t0'))
 * scope.defer(() => links.remove('br0'))
 * return scope.move() // all went well: the caller closes it
 * ```
 */
export class Scope implements AsyncDisposable {
  #closers: Close[] = []
  #closing: Promise<void> | undefined

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** Takes over a resource and hands it back. */
  add<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => Promise.resolve(resource[Symbol.asyncDispose]()))
    return resource
  }

  /** Registers something to do on close. */
  defer(close: Close): void {
    if (this.closed) throw new Error('this scope is closed')
    this.#closers.push(close)
  }

  /** Hands everything over to a new scope and leaves this one empty. */
  move(): Scope {
    const next = new Scope()
    next.#closers = this.#closers
    this.#closers = []
    return next
  }

  /** Closes everything in reverse. Throws at the end what failed: the error itself, or an AggregateError. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.reverse()) {
      try {
        await close()
      } catch (failure) {
        failures.push(failure)
      }
    }
    this.#closers = []
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} parts did not close`)
  }
}
