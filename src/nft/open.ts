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
import {
  type ChainMessage,
  chainOf,
  type Rule,
  readChain,
  readRule,
  readSet,
  readTable,
  type SetMessage,
  setOf,
  type Table,
  tableOf,
} from './listing.ts'
import { type Family, families } from './names.ts'
import { framed, inFamily } from './operation.ts'
import { nftDecoder as decoder } from './trace.ts'
import { acknowledged, requestsOf, type Transaction } from './transaction.ts'
import * as wire from './wire/index.ts'

/** Which tables to list. Default: all. */
export interface ListFilter {
  readonly family?: Family
  /** Tables of this name, in any family. */
  readonly table?: string
}

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
    const requests = requestsOf(build)
    const [first] = requests
    if (first === undefined) return []
    const asking = framed(acknowledged(requests.map(echoing)), first)
    const answers = await this.#connection.transaction(asking, readEcho)
    return answers.filter(rule => rule !== undefined)
  }

  /** All tables, or some of them, with their contents. `nft list ruleset` */
  async list(filter: ListFilter = {}): Promise<Ruleset> {
    for (let tries = 0; tries < listTries; tries++) {
      const before = await this.#generation()
      const tables = await this.#tables(filter)
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

  /** Reads a whole dump. */
  async #dump<T>(asking: Request, read: (message: Message) => T): Promise<T[]> {
    const found: T[] = []
    for await (const one of this.#connection.dump(asking, read)) found.push(one)
    return found
  }

  async #tables({ family, table }: ListFilter): Promise<Table[]> {
    const number = family === undefined ? 0 : families[family]
    const list = (type: number, target: string) =>
      request(wire.tableMessage, { family: number }, { type, op: 'list', target })
    const wanted = (name: string | undefined) => table === undefined || name === table
    const all = await this.#dump(list(wire.NFT_MSG_GETTABLE, 'tables'), readTable)
    const chains = await this.#dump(list(wire.NFT_MSG_GETCHAIN, 'chains'), readChain)
    const rules = await this.#dump(list(wire.NFT_MSG_GETRULE, 'rules'), readRule)
    const sets = await this.#dump(list(wire.NFT_MSG_GETSET, 'sets'), readSet)
    const tables: Table[] = []
    for (const one of all.filter(({ attributes }) => wanted(attributes.name))) {
      const { name } = one.attributes
      const mine = <A extends { table?: string | undefined }>(each: { family: Family; attributes: A }) =>
        each.family === one.family && each.attributes.table === name
      const chainsOf = chains.filter(mine).map(chain => chainOf(chain, rules.filter(inChain(chain))))
      const setsOf = []
      for (const set of sets.filter(mine)) setsOf.push(setOf(set, await this.#elements(set)))
      tables.push(tableOf(one, { chains: chainsOf, sets: setsOf }))
    }
    return tables
  }

  async #elements({ family, attributes: { table, name } }: SetMessage): Promise<wire.WireElement[]> {
    const about = { type: wire.NFT_MSG_GETSETELEM, op: 'list', target: `elements of ${name}` }
    const asking = request(wire.elementsMessage, inFamily(family, { table, set: name }), about)
    const read = ({ body }: Message) => wire.elementsMessage.read(body).attributes.elements ?? []
    return (await this.#dump(asking, read)).flat()
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
export function openNft({ port, ...where }: OpenNftOptions = {}): Nft {
  return new Nft(port ? new Connection(port, { decoder }) : connect('netfilter', { ...where, decoder }))
}

function echoing(request: Request): Request {
  if (request.type !== wire.NFT_MSG_NEWRULE) return request
  return { ...request, flags: (request.flags ?? 0) | NLM_F_ECHO }
}

function readEcho(message: Message): Rule | undefined {
  return message.type === wire.NFT_MSG_NEWRULE ? readRule(message) : undefined
}

const inChain =
  ({ family, attributes: { table, name } }: ChainMessage) =>
  (rule: Rule): boolean =>
    rule.chain === name && rule.table.name === table && rule.table.family === family
