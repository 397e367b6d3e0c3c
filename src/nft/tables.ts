import { NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../netlink/index.ts'
import type { Table } from './listing/model.ts'
import { type Family, families, refText, type TableRef } from './names.ts'
import { inFamily, type RemoveOptions, type Sink } from './operation.ts'
import { restoredTable } from './restore/table.ts'
import { take } from './takes.ts'
import { attachment } from './user-data.ts'
import * as wire from './wire/index.ts'

export interface TableSpec extends TableRef {
  /**
   * Only the socket that creates the table can change it. The table goes when that socket closes: with its
   * process at the latest.
   */
  readonly owner?: boolean
  /** The table exists, but packets skip it. */
  readonly dormant?: boolean
  /** With `owner`: the table stays when its owner's socket closes, and another can become its owner. */
  readonly persistent?: boolean
  readonly comment?: string
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
    take('add table', spec, 'TableSpec')
    this.#sink(() => [newTable('add table', spec, 0)])
  }

  /** Creates a table that does not exist. `nft create table <family> <name>` */
  create(spec: TableSpec): void {
    take('create table', spec, 'TableSpec')
    this.#sink(() => [newTable('create table', spec, NLM_F_CREATE | NLM_F_EXCL)])
  }

  /**
   * Replaces the table, or creates it: its old contents go at the moment at which the contents of the
   * transaction come. An existing table must have the same `owner`.
   */
  replace(spec: TableSpec): void {
    take('replace table', spec, 'TableSpec')
    this.#sink(() => [
      newTable('replace table', spec, 0),
      table('replace table', spec, wire.NFT_MSG_DELTABLE),
      newTable('replace table', spec, 0),
    ])
  }

  /**
   * Makes a listed table again, with everything in it: chains, rules, sets, objects and their states. Handles
   * are new. `nft list table … | nft -f -`
   */
  restore(table: Table): void {
    take('restore table', table, 'Table')
    this.#sink(building => restoredTable(table, { nextId: () => building.nextId() }))
  }

  /** Removes the table with its contents. `nft delete table <family> <name>` */
  remove(which: TableToRemove, options: RemoveOptions = {}): void {
    take('delete table', which, 'TableToRemove')
    const { ifExists = false } = take('delete table', options, 'RemoveOptions')
    const type = ifExists ? wire.NFT_MSG_DESTROYTABLE : wire.NFT_MSG_DELTABLE
    this.#sink(() => [table('delete table', which, type)])
  }

  /**
   * Removes all tables, or those of one family. Tables that other sockets own stay.
   * `nft flush ruleset [<family>]`
   */
  removeAll(family?: Family): void {
    take('flush ruleset', family, ['Family', 'family'])
    const about = { type: wire.NFT_MSG_DELTABLE, op: 'flush ruleset', target: family ?? 'all families' }
    const value = { ...(family && { family: families[family] }), attributes: {} }
    this.#sink(() => [request(wire.tableMessage, value, about)])
  }

  /** Removes the rules of all its chains. `nft flush table <family> <name>` */
  flush(ref: TableRef): void {
    take('flush table', ref, 'TableRef')
    const about = { type: wire.NFT_MSG_DELRULE, op: 'flush table', target: refText(ref) }
    this.#sink(() => [request(wire.ruleMessage, inFamily(ref.family, { table: ref.name }), about)])
  }
}

function newTable(op: string, spec: TableSpec, nlm: number): Request {
  const flags =
    (spec.dormant ? wire.NFT_TABLE_F_DORMANT : 0) |
    (spec.owner ? wire.NFT_TABLE_F_OWNER : 0) |
    (spec.persistent ? wire.NFT_TABLE_F_PERSIST : 0)
  const { name, comment } = spec
  const about = { type: wire.NFT_MSG_NEWTABLE, flags: nlm, op, target: refText(spec) }
  return request(wire.tableMessage, inFamily(spec.family, { name, flags, ...attachment({ comment }) }), about)
}

function table(op: string, which: TableToRemove, type: number): Request {
  const byName = 'name' in which
  const target = byName ? refText(which) : `${which.family} handle ${which.handle}`
  const attributes = byName ? { name: which.name } : { handle: which.handle }
  return request(wire.tableMessage, inFamily(which.family, attributes), { type, op, target })
}
