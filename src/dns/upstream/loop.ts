import { randomBytes } from 'node:crypto'
import { Type } from '../wire/constants.ts'
import { nameBytes } from '../wire/name.ts'
import { keyOf, questionOf } from '../wire/question.ts'
import type { Upstream } from './upstream.ts'

/** How long an answer to a probe is listened to. */
const probeMs = 4000

/**
 * Finds upstreams that lead back to us: each is asked once for a name that nobody else can know. Who sees that name
 * come in again knows where it came from, and stops asking there: else every question would go round until all
 * sockets are used up. (CoreDNS's `loop` ends the program instead.)
 */
export class LoopWatch {
  readonly #probes = new Map<string, Upstream>()
  readonly #notice: (text: string) => void
  readonly #abort = new AbortController()

  constructor(notice: (text: string) => void) {
    this.#notice = notice
  }

  /** Asks these, without waiting for what they say. */
  probe(upstreams: readonly Upstream[]): void {
    for (const upstream of upstreams) {
      // Two labels, as a name with one is not passed on by everybody (dnsmasq's domain-needed).
      const label = () => randomBytes(8).toString('hex')
      const question = questionOf(keyOf(nameBytes(`${label()}.${label()}`)!, Type.HINFO))
      const name = nameOf(question.key)
      this.#probes.set(name, upstream)
      const forget = () => void this.#probes.delete(name)
      upstream.ask(question, { ms: probeMs, signal: this.#abort.signal }).then(forget, forget)
    }
  }

  /** Whether a question is one of ours, come back; the upstream that brought it is not asked any more. */
  caught(key: string): boolean {
    if (this.#probes.size === 0) return false
    const upstream = this.#probes.get(nameOf(key))
    if (!upstream) return false
    if (!upstream.loops)
      this.#notice(
        `The name server ${upstream.name} leads back to this forwarder, and is not asked any more.`,
      )
    upstream.loops = true
    return true
  }

  close(): void {
    this.#abort.abort()
    this.#probes.clear()
  }
}

const nameOf = (key: string) => key.slice(0, -5)
