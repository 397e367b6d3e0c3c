import type { BufferPart, DatagramService, Sender } from '../../sys/index.ts'
import { tellAtOnce, trace } from '../observe/trace.ts'
import { type Asker, drop, later, type Resolver } from '../types.ts'
import type { Access } from './acl.ts'

/** What became of questions, besides what the resolver counts. */
export interface ServerCounters {
  /** From somebody who may not ask. */
  refused: number
  /** Met by an error of our own; the question went unanswered. */
  panics: number
}

/** Stands between sockets and the resolver: who may ask, what can be answered at once, and who waits. */
export class DnsService implements DatagramService {
  readonly counters: ServerCounters = { refused: 0, panics: 0 }
  /** Told of an error of our own. Service goes on: one question must not end that of all others. */
  onPanic: ((failure: unknown) => void) | undefined
  readonly #resolver: Resolver
  readonly #access: Access
  readonly #datagramAsker = new DatagramAsker()

  constructor(resolver: Resolver, access: Access) {
    this.#resolver = resolver
    this.#access = access
  }

  datagram(query: BufferPart, sender: Sender, into: BufferPart): number {
    const asker = this.#datagramAsker
    asker.sender = sender
    const length = this.answer(query, asker, into)
    if (length !== later) return length
    const kept = sender.keep()
    const { address, port } = kept
    void this.resolve(query, { transport: 'udp', address, port }).then(answer => {
      if (answer) kept.reply(answer)
    })
    return drop
  }

  /** Length of the answer at `into`, {@link drop}, or {@link later}: then call {@link resolve}. */
  answer(query: BufferPart, asker: Asker & { readonly loopback: boolean }, into: BufferPart): number {
    try {
      if (this.#access.allows(asker)) return this.#resolver.answerNow(query, asker, into)
      this.counters.refused++
      const length = this.#access.refuse(query, into)
      if (trace.on) tellAtOnce({ query, asker, into, length, source: 'rule' })
      return length
    } catch (failure) {
      this.#panic(failure)
      return drop
    }
  }

  /** Never rejects. Copies the question. */
  async resolve({ bytes, at, length }: BufferPart, asker: Asker): Promise<Uint8Array | undefined> {
    try {
      return await this.#resolver.resolve(Uint8Array.prototype.slice.call(bytes, at, at + length), asker)
    } catch (failure) {
      this.#panic(failure)
      return undefined
    }
  }

  #panic(failure: unknown): void {
    this.counters.panics++
    this.onPanic?.(failure)
  }
}

/** Whoever sent the datagram at hand. */
class DatagramAsker implements Asker {
  readonly transport = 'udp'
  sender: Sender | undefined

  get address(): string {
    return this.sender!.address
  }

  get port(): number {
    return this.sender!.port
  }

  get loopback(): boolean {
    return this.sender!.loopback
  }
}
