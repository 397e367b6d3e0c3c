import type { BufferPart, DatagramService, KeptSender, Sender } from '../../sys/index.ts'
import { tellAtOnce, trace } from '../observe/trace.ts'
import { type Asker, type BufferView, drop, type LateAnswer, later, type Resolver } from '../types.ts'
import type { Access } from './acl.ts'

/** Counts of queries, besides those of the resolver. */
export interface ServerCounters {
  /** Queries from clients without access. */
  refused: number
  /** Queries without an answer, because of a bug here. */
  panics: number
}

/**
 * Connects sockets and resolver: it decides which clients have access, which queries can be answered at once,
 * and which wait.
 */
export class DnsService implements DatagramService {
  readonly counters: ServerCounters = { refused: 0, panics: 0 }
  /** Receives errors caused by bugs here. Service continues: one query must not stop all others. */
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
    const kept = new KeptAsker(sender.keep(query), this)
    try {
      this.#resolver.answerLater(kept.query, kept, kept)
    } catch (failure) {
      this.panic(failure)
    }
    return drop
  }

  /** Returns the length of the answer at `into`, {@link drop}, or {@link later}: then call {@link resolve}. */
  answer(query: BufferPart, asker: Asker & { readonly loopback: boolean }, into: BufferPart): number {
    try {
      if (this.#access.allows(asker)) return this.#resolver.answerNow(query, asker, into)
      this.counters.refused++
      const length = this.#access.refuse(query, into)
      if (trace.on) tellAtOnce({ query, asker, into, length, source: 'rule' })
      return length
    } catch (failure) {
      this.panic(failure)
      return drop
    }
  }

  /** Never rejects. It copies the query. */
  async resolve(query: BufferPart, asker: Asker): Promise<Uint8Array | undefined> {
    try {
      return await this.#resolver.resolve(copyOf(query), asker)
    } catch (failure) {
      this.panic(failure)
      return undefined
    }
  }

  /** A bug here cost a query its answer. */
  panic(failure: unknown): void {
    this.counters.panics++
    this.onPanic?.(failure)
  }
}

/** From Node's pool: memory of its own costs a microsecond. */
function copyOf({ bytes, at, length }: BufferPart): Buffer {
  const copy = Buffer.allocUnsafe(length)
  bytes.copy(copy, 0, at, at + length)
  return copy
}

/** The sender of a datagram that is answered later. Its address is formatted only when that is read. */
class KeptAsker implements Asker, LateAnswer {
  /** Its datagram too. */
  readonly query: KeptSender
  readonly #service: DnsService

  constructor(sender: KeptSender, service: DnsService) {
    this.query = sender
    this.#service = service
  }

  get transport(): 'udp' {
    return 'udp'
  }

  get address(): string {
    return this.query.address
  }

  get port(): number {
    return this.query.port
  }

  answered(answer: BufferView | undefined): void {
    if (answer) this.query.reply(answer)
  }

  failed(bug: unknown): void {
    this.#service.panic(bug)
  }
}

/** The sender of the current datagram. */
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
