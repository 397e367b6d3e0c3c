import { Broadcast, type Queue } from '../../base/index.ts'
import type { Answered, AnswerSource, Transport } from '../types.ts'
import { headerBytes } from '../wire/constants.ts'
import { rcodeText, typeText } from '../wire/mnemonics.ts'
import { nameText } from '../wire/name.ts'
import { Query } from '../wire/query.ts'
import { rcodeOf } from '../wire/rcode.ts'

/** A question that was answered. */
export interface QueryEvent {
  /** As it was asked, with its final dot. */
  readonly name: string
  /** `AAAA`. */
  readonly type: string
  /** `NXDOMAIN`. */
  readonly rcode: string
  readonly transport: Transport
  readonly address: string
  readonly port: number
  readonly source: AnswerSource
  /** How long it waited for an upstream. */
  readonly ms: number
  /** The whole answer. */
  readonly answer: Uint8Array
}

/** Which questions somebody is interested in: all that fit everything given. */
export interface QueryFilter {
  /** Capitals and a final dot make no difference. */
  readonly name?: string
  readonly type?: string
}

/** Questions as they are answered, for tests that wait for one. */
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

/** Whether this is one that was asked for. */
export function fits(event: QueryEvent, { name, type }: QueryFilter): boolean {
  if (type !== undefined && event.type !== type.toUpperCase()) return false
  return name === undefined || plain(event.name) === plain(name)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
