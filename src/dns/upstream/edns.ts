import type { Clock } from '../../base/index.ts'

/** So many refusals in a row show that a server does not know EDNS: a single one may have any cause. */
const enough = 3
/** How long a refusal counts: servers are replaced and repaired. As long as unbound keeps what it knows of a server. */
const memoryMs = 900_000

/** What is known about one server's EDNS (RFC 6891 §7). Without it no DNSSEC record passes. */
export class EdnsSupport {
  readonly #clock: Clock
  #refusals = 0
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when queries go without EDNS. */
  get missing(): boolean {
    return this.#refusals >= enough && this.#clock.now() < this.#until
  }

  /** The server refused a query with EDNS, and answered it without. */
  refused(): void {
    const now = this.#clock.now()
    this.#refusals = now < this.#until ? this.#refusals + 1 : 1
    this.#until = now + memoryMs
  }

  /** The server sent an OPT record, or nothing that was known counts any more. */
  reset(): void {
    this.#refusals = 0
  }
}
