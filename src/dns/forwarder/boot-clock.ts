import type { Clock } from '../../base/index.ts'

/** How often it looks, and how much more must have passed to be no rounding, in milliseconds. */
const [lookEvery, least] = [1000, 500]

/**
 * A monotonic clock that goes on while the machine is suspended, as CLOCK_BOOTTIME does: the TTL of an answer
 * is over when a lid is opened after hours. Node's own clock stands still then. It looks at the time since
 * boot at most once a second, because that costs as much as two answers.
 */
export class BootClock implements Clock {
  readonly #clock: Clock
  readonly #uptime: () => number
  readonly #start: number
  #lookedAt: number
  #slept = 0

  /** `uptime`: seconds since boot, time in suspend included (`os.uptime`). */
  constructor(clock: Clock, uptime: () => number) {
    this.#clock = clock
    this.#uptime = uptime
    this.#lookedAt = clock.now()
    this.#start = uptime() * 1000 - this.#lookedAt
  }

  now(): number {
    const now = this.#clock.now()
    if (now - this.#lookedAt >= lookEvery) this.#look(now)
    return now + this.#slept
  }

  /** Timers stand still in suspend. */
  after(ms: number, task: () => void): () => void {
    return this.#clock.after(ms, task)
  }

  #look(now: number): void {
    this.#lookedAt = now
    const slept = this.#uptime() * 1000 - now - this.#start
    if (slept > this.#slept + least) this.#slept = slept
  }
}
