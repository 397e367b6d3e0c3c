import type { Clock } from '../../src/base/index.ts'

/** A clock that stands still until the test advances it: timeouts happen when a test wants them. */
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

  /** Advances by `ms` and runs, in order, the tasks due by then. */
  pass(ms: number): void {
    this.#now += ms
    const due = [...this.#tasks].filter(task => task.at <= this.#now).sort((a, b) => a.at - b.at)
    for (const task of due) if (this.#tasks.delete(task)) task.run()
  }

  /** How many tasks wait: none after a complete clean-up. */
  get waiting(): number {
    return this.#tasks.size
  }
}
