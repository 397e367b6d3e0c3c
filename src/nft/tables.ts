import { NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../netlink/index.ts'
import { type Family, refText, type TableRef } from './names.ts'
import { inFamily, type Sink } from './operation.ts'
import * as wire from './wire/index.ts'

export interface TableSpec extends TableRef {
  /**
   * Only the socket that creates the table can change it. The table goes when that socket closes: with its
   * process at the latest.
   */
  readonly owner?: boolean
  /** The table exists, but packets skip it. */
  readonly dormant?: boolean
}

/** A table by its name, or by the handle that the kernel gave it. */
export type TableToRemove = TableRef | { readonly family: Family; readonly handle: bigint }

/** Changes of tables. */
export class TableChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /**
   * Adds a table. One that exists stays unchanged (an owned one is added as such again).
   * `nft add table <family> <name>`
   */
  add(spec: TableSpec): void {
    this.#sink(() => [newTable('add table', spec, 0)])
  }

  /** Creates a table that does not exist. `nft create table <family> <name>` */
  create(spec: TableSpec): void {
    this.#sink(() => [newTable('create table', spec, NLM_F_CREATE | NLM_F_EXCL)])
  }

  /**
   * Replaces the table, or creates it: its old contents go at the moment at which the contents of the
   * transaction come. An existing table must have the same `owner`.
   */
  replace(spec: TableSpec): void {
    this.#sink(() => [
      newTable('replace table', spec, 0),
      table('replace table', spec, wire.NFT_MSG_DELTABLE),
      newTable('replace table', spec, 0),
    ])
  }

  /** Removes the table with its contents. `nft delete table <family> <name>` */
  remove(which: TableToRemove): void {
    this.#sink(() => [table('delete table', which, wire.NFT_MSG_DELTABLE)])
  }

  /** Removes the rules of all its chains. `nft flush table <family> <name>` */
  flush(ref: TableRef): void {
    const about = { type: wire.NFT_MSG_DELRULE, op: 'flush table', target: refText(ref) }
    this.#sink(() => [request(wire.ruleMessage, inFamily(ref.family, { table: ref.name }), about)])
  }
}

function newTable(op: string, spec: TableSpec, nlm: number): Request {
  const flags = (spec.dormant ? wire.NFT_TABLE_F_DORMANT : 0) | (spec.owner ? wire.NFT_TABLE_F_OWNER : 0)
  const about = { type: wire.NFT_MSG_NEWTABLE, flags: nlm, op, target: refText(spec) }
  return request(wire.tableMessage, inFamily(spec.family, { name: spec.name, flags }), about)
}

function table(op: string, which: TableToRemove, type: number): Request {
  const byName = 'name' in which
  const target = byName ? refText(which) : `${which.family} handle ${which.handle}`
  const attributes = byName ? { name: which.name } : { handle: which.handle }
  return request(wire.tableMessage, inFamily(which.family, attributes), { type, op, target })
}
