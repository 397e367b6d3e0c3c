import { randomBytes } from 'node:crypto'
import { Type } from '../wire/constants.ts'
import { nameBytes } from '../wire/name.ts'
import { keyOf, questionOf } from '../wire/question.ts'
import { Cancellation } from './cancellation.ts'
import type { Upstream } from './upstream.ts'

/** How long to wait for the answer to a probe. */
const probeMs = 4000

/**
 * Finds upstreams that lead back here. Each gets one query for a name that no other program can know. When
 * that name arrives here as a query, its upstream is no longer asked: otherwise every query would circle
 * until all sockets are in use. (CoreDNS's `loop` ends the program instead.)
 */
export class LoopWatch {
  readonly #probes = new Map<string, Upstream>()
  readonly #notice: (text: string) => void
  readonly #cancellation = new Cancellation()

  constructor(notice: (text: string) => void) {
    this.#notice = notice
  }

  /** Probes these upstreams, and does not wait for their answers. */
  probe(upstreams: readonly Upstream[]): void {
    for (const upstream of upstreams) {
      // Two labels, because some servers do not forward names with one (dnsmasq's domain-needed).
      const label = () => randomBytes(8).toString('hex')
      const question = questionOf(keyOf(nameBytes(`${label()}.${label()}`)!, Type.HINFO))
      const name = nameOf(question.key)
      this.#probes.set(name, upstream)
      const forget = () => void this.#probes.delete(name)
      const receiver = { answered: forget, failed: forget }
      upstream.ask(question, { ms: probeMs, cancellation: this.#cancellation, receiver })
    }
  }

  /** True when a query is a probe that came back. Its upstream is then no longer asked. */
  caught(key: string): boolean {
    if (this.#probes.size === 0) return false
    const upstream = this.#probes.get(nameOf(key))
    if (!upstream) return false
    if (!upstream.loops)
      this.#notice(`The name server ${upstream.name} leads back to this forwarder, and is no longer asked.`)
    upstream.loops = true
    return true
  }

  close(): void {
    this.#cancellation.cancel()
    this.#probes.clear()
  }
}

const nameOf = (key: string) => key.slice(0, -5)
