import { type Connection, type Message, type Request, request } from '../../netlink/index.ts'
import { type Family, families } from '../names.ts'
import { inFamily } from '../operation.ts'
import * as wire from '../wire/index.ts'
import type { NftSet, Rule, Table } from './model.ts'
import {
  chainOf,
  flowtableOf,
  type Listed,
  objectOf,
  readChain,
  readElements,
  readFlowtable,
  readObject,
  readRule,
  readSet,
  readTable,
  tableOf,
} from './read.ts'
import { type SetMessage, setOf } from './set.ts'

/** Which tables to list. Default: all. */
export interface ListFilter {
  readonly family?: Family
  /** Tables of this name, in any family. */
  readonly table?: string
  /** False leaves out the elements of sets, which can be many. `nft -t list ruleset` */
  readonly elements?: boolean
}

/** Reads a whole dump. */
export async function dump<T>(
  connection: Connection,
  asking: Request,
  read: (message: Message) => T,
): Promise<T[]> {
  const found: T[] = []
  for await (const one of connection.dump(asking, read)) found.push(one)
  return found
}

const everything = (type: number, target: string, family: Family | undefined): Request => {
  const number = family === undefined ? 0 : families[family]
  return request(wire.tableMessage, { family: number }, { type, op: 'list', target })
}

/** The messages of all dumps that make a ruleset. */
async function readAll(connection: Connection, family: Family | undefined) {
  const list = <T>(type: number, target: string, read: (message: Message) => T) =>
    dump(connection, everything(type, target, family), read)
  return {
    tables: await list(wire.NFT_MSG_GETTABLE, 'tables', readTable),
    chains: await list(wire.NFT_MSG_GETCHAIN, 'chains', readChain),
    rules: await list(wire.NFT_MSG_GETRULE, 'rules', readRule),
    sets: await list(wire.NFT_MSG_GETSET, 'sets', readSet),
    objects: await list(wire.NFT_MSG_GETOBJ, 'objects', readObject),
    flowtables: await list(wire.NFT_MSG_GETFLOWTABLE, 'flow tables', readFlowtable),
  }
}

/** All tables with their contents. They can change between the dumps. */
export async function listTables(connection: Connection, filter: ListFilter): Promise<Table[]> {
  const all = await readAll(connection, filter.family)
  const wanted = (name: string | undefined) => filter.table === undefined || name === filter.table
  const tables: Table[] = []
  for (const message of all.tables.filter(({ attributes }) => wanted(attributes.name))) {
    const mine = <A extends { table?: string | undefined }>(each: Listed<A>) =>
      each.family === message.family && each.attributes.table === message.attributes.name
    tables.push({
      ...tableOf(message),
      chains: all.chains.filter(mine).map(chain => chainOf(chain, all.rules.filter(inChain(chain)))),
      sets: await listSets(connection, all.sets.filter(mine), filter),
      objects: all.objects.filter(mine).map(objectOf),
      flowtables: all.flowtables.filter(mine).map(flowtableOf),
    })
  }
  return tables
}

async function listSets(
  connection: Connection,
  messages: readonly SetMessage[],
  { elements: wanted = true }: ListFilter,
): Promise<NftSet[]> {
  const sets: NftSet[] = []
  for (const message of messages) {
    const elements = wanted ? await listElements(connection, message, wire.NFT_MSG_GETSETELEM) : []
    sets.push(setOf(message, elements))
  }
  return sets
}

/** The elements of a set. With NFT_MSG_GETSETELEM_RESET their counters begin again. */
export async function listElements(
  connection: Connection,
  { family, attributes: { table, name } }: SetMessage,
  type: number,
): Promise<wire.WireElement[]> {
  const about = { type, op: 'list', target: `elements of ${name}` }
  const asking = request(wire.elementsMessage, inFamily(family, { table, set: name }), about)
  const read = (message: Message) => readElements(message).attributes.elements ?? []
  return (await dump(connection, asking, read)).flat()
}

const inChain =
  ({
    family,
    attributes: { table, name },
  }: Listed<{ table?: string | undefined; name?: string | undefined }>) =>
  (rule: Rule): boolean =>
    rule.chain === name && rule.table.name === table && rule.table.family === family
