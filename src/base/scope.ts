import { messageOf } from './errors/errors.ts'

type Close = () => void | Promise<void>

/**
 * Closes what was opened, in reverse order. It is the rollback while something is being built, and the
 * `close` of the result. A close that fails does not stop the others. `close()` can be called twice.
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

  /** Closes `resource` when this scope closes, and returns it. */
  add<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => Promise.resolve(resource[Symbol.asyncDispose]()))
    return resource
  }

  /** Calls `close` when this scope closes. */
  defer(close: Close): void {
    if (this.closed) throw new Error('this scope is closed')
    this.#closers.push(close)
  }

  /** Moves everything to a new scope and leaves this one empty. */
  move(): Scope {
    const next = new Scope()
    next.#closers = this.#closers
    this.#closers = []
    return next
  }

  /** Closes everything in reverse. Then throws what failed: the error itself, or an AggregateError of several. */
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
    if (failures.length > 1) throw new AggregateError(failures, failures.map(messageOf).join('; '))
  }
}
