import type { Clock } from '../../base/index.ts'

/** A delayed query costs about a kilobyte. One too many gets no answer: senders ask again. */
const mostDelayed = 10_000

/** Where delayed queries wait. They hold no other place meanwhile. */
export class DelayRoom {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves with true after so many milliseconds; with false at once when there is no room, or at the close. */
  pass(ms: number): Promise<boolean> {
    if (this.#closed || this.#waiting.size >= mostDelayed) return Promise.resolve(false)
    return new Promise(resolve => {
      const end = (passed: boolean) => {
        this.#waiting.delete(giveUp)
        resolve(passed)
      }
      const cancel = this.#clock.after(ms, () => end(true))
      const giveUp = () => {
        cancel()
        end(false)
      }
      this.#waiting.add(giveUp)
    })
  }

  close(): void {
    this.#closed = true
    for (const giveUp of [...this.#waiting]) giveUp()
  }
}
