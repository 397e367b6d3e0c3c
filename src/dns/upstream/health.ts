import type { Clock } from '../../base/index.ts'

/** After so many failures in a row other servers are asked first. */
const enough = 3
const firstPauseMs = 1000
const longestPauseMs = 30_000

/** How well an upstream answers, measured with ordinary queries: it sends no probes. */
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

  /** Smoothed round-trip time in milliseconds. */
  get rtt(): number | undefined {
    return this.#rtt
  }

  answered(ms: number): void {
    this.#failures = 0
    this.#pauseMs = firstPauseMs
    // RFC 6298 §2: the new value counts for an eighth.
    this.#rtt = this.#rtt === undefined ? ms : this.#rtt + (ms - this.#rtt) / 8
  }

  /** `sure` when the upstream or its machine reported the failure: one such failure is enough. */
  failed(sure: boolean): void {
    this.#failures = sure ? Math.max(this.#failures + 1, enough) : this.#failures + 1
    if (this.healthy || this.#clock.now() < this.#downUntil) return
    this.#downUntil = this.#clock.now() + this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }

  /** True when the server may be asked first. One that was down gets one query after a pause, as a test. */
  mayLead(): boolean {
    if (this.healthy) return true
    const now = this.#clock.now()
    if (now < this.#downUntil) return false
    this.#downUntil = now + this.#pauseMs
    return true
  }
}
