import { defer } from '../base/index.ts'
import { binding, type Poll } from './binding.ts'
import { UV_READABLE, UV_WRITABLE } from './constants.ts'
import { attempt } from './errors.ts'

/** Tells when an fd can be read or written, and owns it: `close` closes it too. */
export class FdWatch {
  readonly fd: number
  readonly #poll: Poll
  #events = 0
  #closing: Promise<void> | undefined

  constructor(fd: number, ready: { readable(): void; writable?(): void }) {
    this.fd = fd
    this.#poll = attempt('watch', `file descriptor ${fd}`, () =>
      binding().pollOpen(fd, (status, events) => {
        // A bad status is seen again, with its errno, by the call that follows.
        if (events & UV_WRITABLE) ready.writable?.()
        if (status < 0 || events & UV_READABLE) ready.readable()
      }),
    )
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  reading(on: boolean): void {
    this.#watch(on ? this.#events | UV_READABLE : this.#events & ~UV_READABLE)
  }

  writing(on: boolean): void {
    this.#watch(on ? this.#events | UV_WRITABLE : this.#events & ~UV_WRITABLE)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #watch(events: number): void {
    if (this.closed || events === this.#events) return
    this.#events = events
    binding().pollWatch(this.#poll, events)
  }

  #close(): Promise<void> {
    const done = defer()
    binding().pollClose(this.#poll, done.resolve)
    return done.promise
  }
}
