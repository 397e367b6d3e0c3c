import type { Clock } from '../base/index.ts'
import type { Load, StartLimit } from './start-limit.ts'

export interface StartQueueOptions {
  readonly limit: StartLimit
  readonly clock: Clock
  readonly load: () => Load
  /** Whether waiting items still begin after one has failed. */
  readonly goOn?: boolean
}

/** How often the load is sampled, in milliseconds, while items wait to begin. */
const lookMs = 20

/** The work calls it at each milestone, with the milliseconds since its start. */
export type Passed = (milestone: string, afterMs: number) => void

/**
 * Does the work for every item, in order, as many at once as the limit lets begin. What it throws is thrown when
 * all that was under way has come to its end; after that nothing more begins, unless it is to go on.
 */
export function startInTurn<T>(
  items: readonly T[],
  work: (item: T, passed: Passed) => Promise<void>,
  admitting: StartQueueOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const queue = new StartQueue(items, work, admitting)
    queue.run(failures => (failures.length > 0 ? reject(failures[0]) : resolve()))
  })
}

class StartQueue<T> {
  readonly #waiting: T[]
  readonly #work: (item: T, passed: Passed) => Promise<void>
  readonly #with: StartQueueOptions
  readonly #failures: unknown[] = []
  #callOffLook = () => {}
  #done: (failures: readonly unknown[]) => void = () => {}

  constructor(
    items: readonly T[],
    work: (item: T, passed: Passed) => Promise<void>,
    admitting: StartQueueOptions,
  ) {
    this.#waiting = [...items]
    this.#work = work
    this.#with = admitting
  }

  run(done: (failures: readonly unknown[]) => void): void {
    this.#done = done
    this.#look()
  }

  /** Something has happened: what is the load now, and who may begin? */
  #look(): void {
    const { limit, load, clock } = this.#with
    this.#callOffLook()
    if (this.#waiting.length > 0) limit.heard(load())
    while (this.#waiting.length > 0 && limit.mayBegin) void this.#begin(this.#waiting.shift() as T)
    if (this.#waiting.length > 0) this.#callOffLook = clock.after(lookMs, () => this.#look())
    else if (limit.underWay === 0) this.#done(this.#failures)
  }

  async #begin(item: T): Promise<void> {
    const { limit, goOn = false } = this.#with
    limit.began()
    try {
      await this.#work(item, (milestone, afterMs) => {
        limit.passed(milestone, afterMs)
        this.#look()
      })
    } catch (failure) {
      this.#failures.push(failure)
      if (!goOn) this.#waiting.length = 0
    } finally {
      limit.ended()
    }
    this.#look()
  }
}
