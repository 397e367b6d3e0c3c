import { defer } from '../../base/index.ts'
import { binding, type Poll } from '../binding.ts'
import { UV_READABLE, UV_WRITABLE } from '../constants.ts'
import { attempt } from '../errors.ts'

interface Ready {
  readable(): void
  writable?(): void
}

/** Reports when an fd can be read or written. It owns the fd: `close` closes it too. */
export class FdWatch {
  readonly fd: number
  readonly #poll: Poll
  readonly #ready: Ready
  #events = 0
  #closing: Promise<void> | undefined

  constructor(fd: number, ready: Ready) {
    this.fd = fd
    this.#ready = ready
    this.#poll = attempt('watch', `file descriptor ${fd}`, () =>
      binding().pollOpen(fd, (status, events) => this.#happened(status, events)),
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

  #happened(status: number, events: number): void {
    // After an error (POLLERR: a netlink socket that overran) libuv stops watching and reports EBADF whatever
    // it was (uv__poll_io, src/unix/poll.c). The next read or write finds the real error. Unless that one
    // closes the fd, watching continues.
    if (status < 0) binding().pollWatch(this.#poll, this.#events)
    const happened = status < 0 ? this.#events : events
    if (happened & UV_WRITABLE) this.#ready.writable?.()
    if (happened & UV_READABLE) this.#ready.readable()
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
