import type { Clock } from '../../base/index.ts'

/** Receives the end of a delay. */
export interface Waiting {
  due(): void
}

/**
 * A clock whose timers are few, and shared: all tasks with the same delay are in one line, in the order in which
 * they are due, and only the first has a timer. Nearly all are cancelled before they are due. Use it for few
 * different delays.
 */
export class Delays implements Clock {
  readonly #clock: Clock
  readonly #lines = new Map<number, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  after(ms: number, run: () => void): () => void {
    const delay = this.start(ms, { due: run })
    return () => delay.cancel()
  }

  /** The same without a closure. */
  start(ms: number, waiting: Waiting): Delay {
    let line = this.#lines.get(ms)
    if (line === undefined) {
      line = new Line(this.#clock, ms)
      // Others are the rest of something, and each another one.
      if (Number.isInteger(ms)) this.#lines.set(ms, line)
    }
    return line.add(waiting)
  }
}

/** A task in the line of all tasks with the same delay. */
export class Delay {
  readonly at: number
  waiting: Waiting | undefined
  before: Delay | undefined
  behind: Delay | undefined
  readonly #line: Line

  constructor(line: Line, at: number, waiting: Waiting) {
    this.#line = line
    this.at = at
    this.waiting = waiting
  }

  cancel(): void {
    this.#line.cancel(this)
  }
}

class Line {
  readonly #clock: Clock
  readonly #ms: number
  #first: Delay | undefined
  #last: Delay | undefined
  #cancelTimer: (() => void) | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  add(waiting: Waiting): Delay {
    const delay = new Delay(this, this.#clock.now() + this.#ms, waiting)
    delay.before = this.#last
    if (this.#last) this.#last.behind = delay
    else this.#first = delay
    this.#last = delay
    this.#cancelTimer ??= this.#clock.after(this.#ms, () => this.#due())
    return delay
  }

  cancel(delay: Delay): void {
    this.#remove(delay)
    if (this.#first) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #remove(delay: Delay): void {
    if (!delay.waiting) return
    const { before, behind } = delay
    if (before) before.behind = behind
    else this.#first = behind
    if (behind) behind.before = before
    else this.#last = before
    // A dead delay that the garbage collector has moved to its old space would keep all later ones alive.
    delay.before = undefined
    delay.behind = undefined
    delay.waiting = undefined
  }

  #due(): void {
    this.#cancelTimer = undefined
    const now = this.#clock.now()
    for (let delay = this.#first; delay && delay.at <= now; delay = this.#first) {
      const { waiting } = delay
      this.#remove(delay)
      waiting?.due()
    }
    const next = this.#first
    if (next) this.#cancelTimer ??= this.#clock.after(Math.max(next.at - now, 1), () => this.#due())
  }
}
