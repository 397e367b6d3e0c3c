import { close, closeSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { type Clock, reasonOf, Serial, systemClock } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import type { Answered } from '../types.ts'
import { LineWriter, longestLine } from './log-line.ts'

/**
 * Lines are collected in a page. It is written when it is full, or when its first line is this old in
 * milliseconds.
 */
const pageSize = 64 << 10
const maxAgeMs = 200
/** The most pages that wait for a slow disk. Further lines are counted and dropped. */
const mostPages = 64

const writeTo = promisify(write)

/** A log with one line for each answer, in a file or on standard output (`-`). */
export class QueryLog implements AsyncDisposable {
  /** Lines dropped because the disk, or the reader of the pipe, was too slow. */
  lost = 0
  readonly #path: string
  readonly #clock: Clock
  readonly #line = new LineWriter()
  readonly #writes = new Serial()
  readonly #spare: Buffer[] = []
  #fd: number
  #page: Buffer = Buffer.allocUnsafeSlow(pageSize)
  #used = 0
  #waiting = 0
  #timer: (() => void) | undefined

  constructor(path: string, clock: Clock = systemClock) {
    this.#path = path
    this.#clock = clock
    this.#fd = openLog(path)
  }

  readonly note = (answered: Answered): void => {
    if (this.#used + longestLine > pageSize && !this.#turn()) {
      this.lost++
      return
    }
    this.#used = this.#line.write(answered, this.#page, this.#used)
    this.#timer ??= this.#clock.after(maxAgeMs, () => this.#timeUp())
  }

  /** Opens the file again, after it was moved away (logrotate). */
  async reopen(): Promise<void> {
    this.#turn()
    await this.#writes.run(async () => {
      const before = this.#fd
      this.#fd = openLog(this.#path)
      if (this.#path !== '-') await promisify(close)(before)
    })
  }

  /** Resolves when all lines so far are written. */
  async flush(): Promise<void> {
    this.#turn()
    await this.#writes.idle()
  }

  async close(): Promise<void> {
    this.#timer?.()
    await this.flush()
    if (this.#path !== '-' && this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #timeUp(): void {
    this.#timer = undefined
    this.#turn()
  }

  /** Hands the page over for writing. False when too many are waiting. */
  #turn(): boolean {
    if (this.#used === 0) return true
    if (this.#waiting >= mostPages) return false
    const lines = this.#page.subarray(0, this.#used)
    this.#page = this.#spare.pop() ?? Buffer.allocUnsafeSlow(pageSize)
    this.#used = 0
    this.#waiting++
    void this.#writes.run(() => this.#write(lines))
    return true
  }

  async #write(lines: Buffer): Promise<void> {
    // A full disk costs lines, not service.
    await this.#writeLines(lines).catch(() => this.lost++)
    this.#waiting--
    if (this.#spare.length < 2) this.#spare.push(Buffer.from(lines.buffer))
  }

  async #writeLines(lines: Buffer): Promise<void> {
    for (let at = 0; at < lines.length; ) {
      const { bytesWritten } = await writeTo(this.#fd, lines, at, lines.length - at, null)
      at += bytesWritten
    }
  }
}

function openLog(path: string): number {
  if (path === '-') return 1
  try {
    return openSync(path, 'a', 0o644)
  } catch (cause) {
    throw new DnsError({
      code: 'DNS_LOG_FAILED',
      op: 'open query log',
      target: path,
      reason: reasonOf(cause),
      remedy: 'Name a file that you can write to',
      cause,
    })
  }
}
