import type { Clock } from '../../base/index.ts'
import { type Chain, mostLinks } from '../names/chain.ts'
import type { Names } from '../names/names.ts'
import type { AnswerSource, Asker, OwnEntry } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import { Class, Extended, Rcode, Type } from '../wire/constants.ts'
import { fullRecords, writtenAnswer } from '../wire/full-records.ts'
import { failureAnswer } from '../wire/local-answer.ts'
import { readMessage } from '../wire/message.ts'
import { type Question, questionOf } from '../wire/question.ts'
import { DelayRoom } from './delay-room.ts'
import { Dns64, type Dns64Options } from './dns64.ts'
import { type Fault, Faults } from './faults.ts'
import { type AddressFilter, filteredTypes, withoutType } from './filter.ts'
import type { Given, Withheld } from './given.ts'
import { Views } from './views.ts'

export interface TailorOptions {
  readonly clock: Clock
  readonly faults: readonly Fault[]
  readonly filter: AddressFilter | undefined
  readonly dns64: Dns64Options | undefined
  readonly names: () => Names
  /** A cached answer that is still valid. */
  readonly cached: (key: string) => Given | undefined
  /** Asks the upstreams. Never rejects. */
  readonly ask: (key: string) => Promise<{ readonly answer: Answer; readonly source: AnswerSource }>
}

/**
 * Answers that are not the same for every asker, or are changed on their way: faults for tests, names for some askers
 * alone, aliases of names outside, filtered and synthesized addresses. All others never come here.
 */
export class Tailor {
  readonly faults: Faults
  /** False as long as no answer needs it: the fast path looks at nothing else. */
  active = false
  readonly #options: TailorOptions
  readonly #filtered: number | undefined
  readonly #dns64: Dns64 | undefined
  readonly #delays: DelayRoom
  #views = new Views([])

  constructor(options: TailorOptions) {
    this.#options = options
    this.#filtered = options.filter && filteredTypes[options.filter]
    this.#dns64 = options.dns64 && new Dns64(options.dns64)
    this.#delays = new DelayRoom(options.clock)
    this.faults = new Faults(options.faults, () => this.#look())
    this.#look()
  }

  /** Replaces the records that only some askers see. */
  show(entries: readonly OwnEntry[]): void {
    this.#views = new Views(entries)
    this.#look()
  }

  /** True for a question, by its key, that is to be answered here. */
  concerns(key: string, { address }: Asker): boolean {
    const { name, type, isIn } = partsOf(key)
    if (this.faults.size > 0 && this.faults.concern({ name, type, address })) return true
    if (!isIn) return false
    if (type === this.#filtered || (type === Type.ANY && this.#filtered !== undefined)) return true
    if (this.#dns64?.concerns(name, type)) return true
    return this.#views.size > 0 && this.#views.for(address).some(names => names.owns(key))
  }

  async answer(key: string, asker: Asker): Promise<Given | Withheld> {
    const { name, type } = partsOf(key)
    const { delayMs, fault } = this.faults.decide({ name, type, address: asker.address })
    if (delayMs > 0 && !(await this.#delays.pass(delayMs))) return 'nothing'
    if (fault === 'drop') return 'nothing'
    if (fault === 'truncate' && asker.transport === 'udp') return 'truncated'
    if (fault === undefined || fault === 'truncate') return this.#altered(questionOf(key), asker)
    const answer = failureAnswer(questionOf(key), rcodes[fault], Extended.forged)
    return { answer, source: 'rule', age: 0 }
  }

  /** Ends all delays: their queries get no answer. */
  close(): void {
    this.#delays.close()
  }

  async #altered(question: Question, asker: Asker): Promise<Given> {
    const { name, type, isIn } = partsOf(question.key)
    const get = (key: string) => this.#find(key, asker, 0)
    const mapped = isIn && this.#dns64?.concerns(name, type) ? this.#dns64 : undefined
    const given = await (mapped ? mapped.answer(question, get) : get(question.key))
    return this.#filtered === undefined ? given : withoutType(question, given, this.#filtered)
  }

  /** The answer for this asker: its own names, everyone's, the cache, the upstreams. */
  async #find(key: string, asker: Asker, depth: number): Promise<Given> {
    for (const names of [...this.#views.for(asker.address), this.#options.names()]) {
      const own = names.find(key)
      if (own) return { answer: own, source: 'own', age: 0 }
      const alias = names.alias(key)
      if (alias) return this.#follow(key, alias, { asker, depth })
    }
    return this.#options.cached(key) ?? { ...(await this.#options.ask(key)), age: 0 }
  }

  /** The answer of a name elsewhere, behind the aliases that lead to it. */
  async #follow(
    key: string,
    { links, end }: Chain,
    { asker, depth }: { asker: Asker; depth: number },
  ): Promise<Given> {
    const question = questionOf(key)
    if (depth >= mostLinks)
      return { answer: failureAnswer(question, Rcode.SERVFAIL, Extended.other), source: 'own', age: 0 }
    const { answer, source, age } = await this.#find(`${end}${key.slice(-5)}`, asker, depth + 1)
    const message = readMessage(answer.wire)
    const rest = (message && fullRecords(message, age)) ?? []
    const { rcode, extended } = answer
    return {
      answer: writtenAnswer(question, { rcode, records: [...links, ...rest], extended }),
      source,
      age: 0,
    }
  }

  #look(): void {
    const changes = this.#filtered !== undefined || this.#dns64 !== undefined
    this.active = changes || this.faults.size > 0 || this.#views.size > 0
  }
}

const rcodes = { nxdomain: Rcode.NXDOMAIN, servfail: Rcode.SERVFAIL, refused: Rcode.REFUSED } as const

/** The name's key, which type and class of two bytes each and flags follow. */
function partsOf(key: string): { name: string; type: number; isIn: boolean } {
  const at = key.length - 5
  const u16 = (from: number) => (key.charCodeAt(from) << 8) | key.charCodeAt(from + 1)
  return { name: key.slice(0, at), type: u16(at), isIn: u16(at + 2) === Class.IN }
}
