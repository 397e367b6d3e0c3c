import type { BufferPart } from '../../sys/index.ts'
import { drop } from '../types.ts'
import { AnswerWriter } from '../wire/answer-writer.ts'
import { Rcode } from '../wire/constants.ts'
import { allowing } from '../wire/networks.ts'
import { ignore, Query } from '../wire/query.ts'

/** The receiver of an answer. */
interface Client {
  readonly address: string
  readonly loopback: boolean
}

/**
 * How many addresses are remembered with their result. A flood of forged addresses costs no more memory than
 * that.
 */
const mostKnown = 1024

/** Decides which clients may send queries: this machine, and the networks given as `192.168.0.0/24`. */
export class Access {
  readonly #allowed: (address: string) => boolean
  readonly #open: boolean
  readonly #known = new Map<string, boolean>()
  readonly #query = new Query()
  readonly #writer = new AnswerWriter()

  constructor(allow: readonly string[] = []) {
    this.#allowed = allowing(allow)
    this.#open = allow.length > 0
  }

  allows(client: Client): boolean {
    if (client.loopback) return true
    if (!this.#open) return false
    const known = this.#known.get(client.address)
    if (known !== undefined) return known
    if (this.#known.size >= mostKnown) this.#known.clear()
    const verdict = this.#allowed(client.address)
    this.#known.set(client.address, verdict)
    return verdict
  }

  /**
   * Writes REFUSED with the question and not a byte more, so that the server cannot be used to amplify an
   * attack.
   */
  refuse(query: BufferPart, into: BufferPart): number {
    if (this.#query.read(query) === ignore) return drop
    return this.#writer.fail(this.#query, { rcode: Rcode.REFUSED, extended: -1 }, into)
  }
}
