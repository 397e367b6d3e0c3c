import type { Clock } from '../../src/base/index.ts'

/** A clock that stands still until the test lets time pass, so that the test decides when a timeout occurs. */
export class ManualClock implements Clock {
  #now = 0
  readonly #tasks = new Set<{ at: number; run: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const task = { at: this.#now + ms, run }
    this.#tasks.add(task)
    return () => this.#tasks.delete(task)
  }

  /** Lets `ms` pass and runs, in order, the tasks that are due. */
  pass(ms: number): void {
    this.#now += ms
    const due = [...this.#tasks].filter(task => task.at <= this.#now).sort((a, b) => a.at - b.at)
    for (const task of due) if (this.#tasks.delete(task)) task.run()
  }

  /** The number of pending tasks: 0 when all timers were cancelled. */
  get waiting(): number {
    return this.#tasks.size
  }
}
