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

/** Which clients have access besides those on the loopback network. */
export interface AccessOptions {
  /** Networks: `192.168.0.0/24`. */
  readonly allow?: readonly string[]
  /** Tells which addresses are this machine's own. */
  readonly isOwn?: (address: string) => boolean
}

/** Decides which clients may send queries: this machine, from any of its addresses, and the given networks. */
export class Access {
  readonly #allowed: (address: string) => boolean
  readonly #open: boolean
  readonly #isOwn: (address: string) => boolean
  readonly #known = new Map<string, boolean>()
  readonly #query = new Query()
  readonly #writer = new AnswerWriter()

  constructor({ allow = [], isOwn = () => false }: AccessOptions = {}) {
    this.#isOwn = isOwn
    this.#allowed = allowing(allow)
    this.#open = allow.length > 0
  }

  allows(client: Client): boolean {
    if (client.loopback) return true
    const { address } = client
    return (this.#open && this.#isAllowed(address)) || this.#isOwn(address)
  }

  #isAllowed(address: string): boolean {
    const known = this.#known.get(address)
    if (known !== undefined) return known
    if (this.#known.size >= mostKnown) this.#known.clear()
    const verdict = this.#allowed(address)
    this.#known.set(address, verdict)
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
