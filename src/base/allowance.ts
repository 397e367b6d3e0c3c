import type { Clock } from './clock.ts'

export interface AllowanceOptions {
  readonly clock: Clock
  /** How much there is at first, and at most. */
  readonly most: number
  /** How much is added each second. */
  readonly perSecond: number
}

/** An amount that is used up, and grows again with time: what a peer may send, or cost, without being asked. */
export class Allowance {
  readonly #options: AllowanceOptions
  #left: number
  #at: number

  constructor(options: AllowanceOptions) {
    this.#options = options
    this.#left = options.most
    this.#at = options.clock.now()
  }

  /** Uses up `amount`. Returns how much is left: below 0 it was too much. */
  use(amount: number): number {
    const { clock, most, perSecond } = this.#options
    const now = clock.now()
    this.#left = Math.min(most, this.#left + ((now - this.#at) / 1000) * perSecond) - amount
    this.#at = now
    return this.#left
  }

  /** Milliseconds until there is some again. */
  get waitMs(): number {
    return Math.max(0, (-this.#left / this.#options.perSecond) * 1000)
  }
}
