import type { Clock } from '../../base/index.ts'

/** Not answered so often in a row: others are asked first. */
const enough = 3
const firstPauseMs = 1000
const longestPauseMs = 30_000

/** How well an upstream answers, known from the questions it is asked anyway: no probes. */
export class Health {
  readonly #clock: Clock
  #failures = 0
  #pauseMs = firstPauseMs
  #downUntil = 0
  #rtt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get healthy(): boolean {
    return this.#failures < enough
  }

  /** Smoothed round trip in milliseconds. */
  get rtt(): number | undefined {
    return this.#rtt
  }

  answered(ms: number): void {
    this.#failures = 0
    this.#pauseMs = firstPauseMs
    // RFC 6298 §2: an eighth of the new one.
    this.#rtt = this.#rtt === undefined ? ms : this.#rtt + (ms - this.#rtt) / 8
  }

  /** `sure` when it, or its machine, said so: one such is enough. */
  failed(sure: boolean): void {
    this.#failures = sure ? Math.max(this.#failures + 1, enough) : this.#failures + 1
    if (this.healthy || this.#clock.now() < this.#downUntil) return
    this.#downUntil = this.#clock.now() + this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }

  /** Whether it may be asked first. One that was down is given one question after a pause, to show itself. */
  mayLead(): boolean {
    if (this.healthy) return true
    const now = this.#clock.now()
    if (now < this.#downUntil) return false
    this.#downUntil = now + this.#pauseMs
    return true
  }
}
