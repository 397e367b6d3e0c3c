import {
  Connection,
  connect,
  type Message,
  NetlinkError,
  type NetlinkPort,
  type NetNamespace,
  NLM_F_ECHO,
  type Request,
  request,
} from '../netlink/index.ts'
import { type ListFilter, listTables } from './listing/dump.ts'
import { type ElementQuery, findElements } from './listing/find.ts'
import type { Element, Rule, Table } from './listing/model.ts'
import { readRule, readSet } from './listing/read.ts'
import {
  type FoundObject,
  type ObjectFilter,
  type RuleFilter,
  resetElements,
  resetObjects,
  resetRules,
} from './listing/reset.ts'
import { shapeOf } from './listing/set.ts'
import { refText } from './names.ts'
import { framed, inFamily } from './operation.ts'
import type { KeyType, NamedSet } from './set/spec.ts'
import { take } from './takes.ts'
import { nftDecoder as decoder } from './trace.ts'
import { acknowledged, KnownSets, planOf, type Transaction } from './transaction.ts'
import * as wire from './wire/index.ts'

/** The rules of a namespace at one moment. */
export interface Ruleset {
  /** The kernel increments it with every change. */
  readonly generation: number
  readonly tables: readonly Table[]
}

/** The most attempts at a listing that changes while it is read. */
const listTries = 20

/**
 * The packet filter and address translation of one network namespace. A refusal of the kernel is thrown as a
 * NetlinkError: `add rule inet t c: ip saddr @blocked accept: No such file or directory (expressions.3)`.
 */
export class Nft implements AsyncDisposable {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Applies all changes at once, or none. Returns the rules that were added or replaced, in order and with
   * their handles. Throws the first refusal, with the others in `others`. `nft -f`
   */
  async transaction(build: (transaction: Transaction) => void): Promise<Rule[]> {
    const plan = planOf(build)
    const { requests: alone, unknown } = plan()
    const requests = unknown.length === 0 ? alone : plan(await this.#known(unknown)).requests
    const [first] = requests
    if (first === undefined) return []
    const asking = framed(acknowledged(requests.map(echoing)), first)
    const answers = await this.#connection.transaction(asking, readEcho)
    return answers.filter(rule => rule !== undefined)
  }

  /** All tables, or some of them, with their contents. `nft list ruleset` */
  async list(filter: ListFilter = {}): Promise<Ruleset> {
    take('list ruleset', filter, 'ListFilter')
    for (let tries = 0; tries < listTries; tries++) {
      const before = await this.#generation()
      const tables = await listTables(this.#connection, filter)
      if ((await this.#generation()) === before) return { generation: before, tables }
    }
    const reason = `the rules changed during each of ${listTries} attempts to list them`
    throw new NetlinkError({ code: 'NETLINK_DUMP_INTERRUPTED', op: 'list', target: 'ruleset', reason })
  }

  async #generation(): Promise<number> {
    const asking = request(
      wire.generationMessage,
      {},
      { type: wire.NFT_MSG_GETGEN, op: 'get', target: 'ruleset generation' },
    )
    const [answer] = await this.#connection.ask(asking, ({ body }) => wire.generationMessage.read(body))
    return answer?.attributes.id ?? 0
  }

  /**
   * The element that each value is in, or undefined: of a set with intervals, the interval. Other elements are not
   * read. `nft get element <family> <table> <set> { … }`
   */
  async findElements<const K extends KeyType>(wanted: ElementQuery<K>): Promise<(Element | undefined)[]> {
    return await findElements(this.#connection, take('find elements', wanted, 'ElementQuery'))
  }

  /**
   * Lists counters, quotas and the other objects, and lets them begin again. What passes in the meantime is in the
   * next listing. `nft reset counters`
   */
  async resetObjects(filter: ObjectFilter = {}): Promise<FoundObject[]> {
    return await resetObjects(this.#connection, take('reset objects', filter, 'ObjectFilter'))
  }

  /** The same for the counters and quotas in rules. `nft reset rules` (Linux 6.2) */
  async resetRules(filter: RuleFilter = {}): Promise<Rule[]> {
    return await resetRules(this.#connection, take('reset rules', filter, 'RuleFilter'))
  }

  /** The same for those of a set's elements. `nft reset set <family> <table> <name>` (Linux 6.5) */
  async resetElements(ref: NamedSet): Promise<Element[]> {
    return await resetElements(this.#connection, take('reset elements', ref, 'NamedSet'))
  }

  /** The sets of the kernel that the changes use. */
  async #known(refs: readonly NamedSet[]): Promise<KnownSets> {
    const known = new KnownSets()
    const asking = refs.map(({ table, name }) => {
      const about = { type: wire.NFT_MSG_GETSET, op: 'get set', target: `${refText(table)} ${name}` }
      return request(wire.setMessage, inFamily(table.family, { table: table.name, name }), about)
    })
    const answers = await this.#connection.askEach(asking, readSet)
    for (const [index, ref] of refs.entries()) {
      const answer = answers[index]
      if (Array.isArray(answer) && answer[0]) known.add(ref, shapeOf(answer[0]))
    }
    return known
  }

  /** Closes the socket. Tables with `owner` go with it. */
  async close(): Promise<void> {
    await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export interface OpenNftOptions {
  readonly namespace?: NetNamespace
  /** A NETLINK_NETFILTER socket that is open already, in any namespace. */
  readonly port?: NetlinkPort
}

/** Opens the rules of a network namespace. Default: this process's own, unless a socket is given. */
export function openNft(options: OpenNftOptions = {}): Nft {
  const { port, ...where } = take('open nftables', options, 'OpenOptions')
  return new Nft(port ? new Connection(port, { decoder }) : connect('netfilter', { ...where, decoder }))
}

function echoing(request: Request): Request {
  if (request.type !== wire.NFT_MSG_NEWRULE) return request
  return { ...request, flags: (request.flags ?? 0) | NLM_F_ECHO }
}

function readEcho(message: Message): Rule | undefined {
  return message.type === wire.NFT_MSG_NEWRULE ? readRule(message) : undefined
}
