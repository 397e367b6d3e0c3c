import { Broadcast, type Queue } from '../../base/index.ts'
import type { Answered, AnswerSource, Transport } from '../types.ts'
import { headerBytes } from '../wire/constants.ts'
import { rcodeText, typeText } from '../wire/mnemonics.ts'
import { nameText } from '../wire/name.ts'
import { Query } from '../wire/query.ts'
import { rcodeOf } from '../wire/rcode.ts'

/** A query that was answered. */
export interface QueryEvent {
  /** The name as it was queried, with its final dot. */
  readonly name: string
  /** `AAAA`. */
  readonly type: string
  /** `NXDOMAIN`. */
  readonly rcode: string
  readonly transport: Transport
  readonly address: string
  readonly port: number
  readonly source: AnswerSource
  /** How long the client waited for an upstream, in milliseconds. */
  readonly ms: number
  /** The whole answer. */
  readonly answer: Uint8Array
}

/** The queries to report: those that match every given field. */
export interface QueryFilter {
  /** Letter case and a final dot do not matter. */
  readonly name?: string
  readonly type?: string
}

/** Queries as they are answered, for tests that wait for one. */
export class QueryEvents {
  readonly #broadcast = new Broadcast<QueryEvent>()
  readonly #query = new Query()

  readonly note = (answered: Answered): void => {
    this.#broadcast.send(this.#eventOf(answered))
  }

  listen(): Queue<QueryEvent> {
    return this.#broadcast.listen()
  }

  end(): void {
    this.#broadcast.end()
  }

  #eventOf({ query, answer, asker, source, ms }: Answered): QueryEvent {
    this.#query.read({ bytes: query as Buffer, at: 0, length: query.length })
    const { nameLength, type } = this.#query
    return {
      name: nameLength > 0 ? nameText(query, headerBytes) : '',
      type: nameLength > 0 ? typeText(type) : '',
      rcode: rcodeText(rcodeOf(answer)),
      transport: asker.transport,
      address: asker.address,
      port: asker.port,
      source,
      ms,
      answer: Uint8Array.from(answer),
    }
  }
}

/** True when the event matches the filter. */
export function fits(event: QueryEvent, { name, type }: QueryFilter): boolean {
  if (type !== undefined && event.type !== type.toUpperCase()) return false
  return name === undefined || plain(event.name) === plain(name)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
