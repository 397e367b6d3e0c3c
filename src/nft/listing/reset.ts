import { type Connection, type Message, request } from '../../netlink/index.ts'
import { families, refText, type TableRef } from '../names.ts'
import type { NamedSet } from '../set/spec.ts'
import * as wire from '../wire/index.ts'
import { dump, listElements } from './dump.ts'
import { askForSet } from './find.ts'
import type { Element, NftObject, Rule } from './model.ts'
import { objectOf, readObject, readRule } from './read.ts'
import { elementsOf, shapeOf } from './set.ts'

/** Which objects, by table and type. Default: all. */
export interface ObjectFilter {
  readonly table?: TableRef
  readonly type?: wire.ObjectType
}

/** An object with its table: as `objects.add` takes it. */
export type FoundObject = NftObject & { readonly table: TableRef }

/** Lists objects, and lets counters and quotas begin again, each in one step. */
export async function resetObjects(
  connection: Connection,
  { table, type }: ObjectFilter,
): Promise<FoundObject[]> {
  const target = `${type ?? 'objects'}${table ? ` of ${refText(table)}` : ''}`
  const about = { type: wire.NFT_MSG_GETOBJ_RESET, op: 'reset', target }
  const attributes = { ...(table && { table: table.name }), ...(type && { type }) }
  const value = { ...(table && { family: families[table.family] }), attributes }
  return await dump(connection, request(wire.objectMessage, value, about), readFound)
}

function readFound(message: Message): FoundObject {
  const found = readObject(message)
  return { table: { family: found.family, name: found.attributes.table ?? '' }, ...objectOf(found) }
}

/** Which rules, by table and chain. Default: all. */
export interface RuleFilter {
  readonly table?: TableRef
  /** Needs `table`. */
  readonly chain?: string
}

/** Lists rules, and lets their counters and quotas begin again (Linux 6.2). */
export async function resetRules(connection: Connection, { table, chain }: RuleFilter): Promise<Rule[]> {
  const target = `rules${table ? ` of ${refText(table)}` : ''}${chain === undefined ? '' : ` ${chain}`}`
  const about = { type: wire.NFT_MSG_GETRULE_RESET, op: 'reset', target }
  const attributes = { ...(table && { table: table.name }), ...(chain !== undefined && { chain }) }
  const value = { ...(table && { family: families[table.family] }), attributes }
  return await dump(connection, request(wire.ruleMessage, value, about), readRule)
}

/** Lists the elements of a set, and lets their counters and quotas begin again (Linux 6.5). */
export async function resetElements(connection: Connection, ref: NamedSet): Promise<Element[]> {
  const set = await askForSet(connection, ref, 'reset')
  if (set === undefined) return []
  return elementsOf(shapeOf(set), await listElements(connection, set, wire.NFT_MSG_GETSETELEM_RESET))
}
