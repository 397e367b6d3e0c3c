import {
  type Connection,
  connect,
  type Message,
  type NetNamespace,
  request,
  type Subscription,
  subscribe,
} from '../netlink/index.ts'
import { dump } from './listing/dump.ts'
import type { Chain, Element, Flowtable, NftObject, NftSet, Rule } from './listing/model.ts'
import * as read from './listing/read.ts'
import { elementsOf, type SetMessage, setOf, shapeOf } from './listing/set.ts'
import type { TableRef } from './names.ts'
import type { SetShape } from './set/shape.ts'
import type { NamedSet } from './set/spec.ts'
import { nftDecoder as decoder } from './trace.ts'
import { KnownSets } from './transaction.ts'
import { rawType } from './types.ts'
import * as wire from './wire/index.ts'

type Happened<Type extends string, What> = What & {
  readonly type: Type
  /** True when it was removed; otherwise it was added or changed. */
  readonly gone: boolean
}

/** One object of a ruleset that was added, changed or removed. */
export type RulesetChange =
  | Happened<'table', { readonly table: read.TableHead }>
  | Happened<'chain', { readonly table: TableRef; readonly chain: Omit<Chain, 'rules'> }>
  | Happened<'rule', { readonly rule: Rule }>
  | Happened<'set', { readonly table: TableRef; readonly set: Omit<NftSet, 'elements'> }>
  | Happened<
      'elements',
      { readonly table: TableRef; readonly set: string; readonly elements: readonly Element[] }
    >
  | Happened<'object', { readonly table: TableRef; readonly object: NftObject }>
  | Happened<'flowtable', { readonly table: TableRef; readonly flowtable: Flowtable }>

/**
 * A transaction, with what it changed in order; or a quota that packets have used up, with the family of the packet
 * instead of its table's (the kernel's `nft_quota_obj_eval()`).
 */
export type NftEvent =
  | {
      readonly type: 'transaction'
      readonly generation: number
      /** The process that made it. */
      readonly process?: { readonly id: number; readonly name: string }
      readonly changes: readonly RulesetChange[]
    }
  | { readonly type: 'object'; readonly table: TableRef; readonly object: NftObject }

export interface NftMonitorOptions {
  readonly namespace?: NetNamespace
  /** SO_RCVBUF in bytes. */
  readonly receiveBuffer?: number
}

/**
 * Listens to changes of the ruleset: one event for each transaction. `{ type: 'lost' }` among the events means
 * that some were lost, and that the next may be incomplete: list again. `nft monitor`
 */
export async function monitorNft(options: NftMonitorOptions = {}): Promise<Subscription<NftEvent>> {
  const reader = new EventReader()
  const groups = [wire.NFNLGRP_NFTABLES]
  const events = subscribe('netfilter', {
    ...options,
    decoder,
    groups,
    read: message => reader.read(message),
  })
  try {
    await using connection = connect('netfilter', { ...options, decoder })
    await reader.learn(connection)
    return events
  } catch (failure) {
    await events.close()
    throw failure
  }
}

interface Collected {
  readonly gone: boolean
  readonly table: TableRef
  readonly set: string
  readonly shape: SetShape
  readonly elements: wire.WireElement[]
}

/** Collects the messages of a transaction until its last, which has its number. */
export class EventReader {
  readonly #sets = new KnownSets()
  #changes: (RulesetChange | Collected)[] = []
  #goneSets: NamedSet[] = []

  /** Learns which values the present sets have: messages about elements do not say it. */
  async learn(connection: Connection): Promise<void> {
    const asking = request(wire.setMessage, {}, { type: wire.NFT_MSG_GETSET, op: 'list', target: 'sets' })
    for (const set of await dump(connection, asking, read.readSet)) this.#know(set)
  }

  #know(set: SetMessage): void {
    const ref = { table: tableRef(set), name: set.attributes.name ?? '' }
    if (this.#sets.get(ref) === undefined) this.#sets.add(ref, shapeOf(set))
  }

  read(message: Message): NftEvent | undefined {
    if (message.type === wire.NFT_MSG_NEWGEN) return this.#end(message)
    const change = this.#changeOf(message)
    if (change === undefined) return undefined
    // From the path of a packet, outside of any transaction: a quota is used up.
    const alone = message.port === 0 && message.sequence === 0
    if (alone && 'object' in change) return { type: 'object', table: change.table, object: change.object }
    this.#changes.push(change)
    return undefined
  }

  #end({ body }: Message): NftEvent {
    const { id = 0, process, program = '' } = wire.generationMessage.read(body).attributes
    const changes = this.#changes.map(change => ('shape' in change ? elementsChange(change) : change))
    this.#changes = []
    // Not before: messages about their elements can follow.
    for (const ref of this.#goneSets.splice(0)) this.#sets.remove(ref)
    return {
      type: 'transaction',
      generation: id,
      ...(process !== undefined && { process: { id: process, name: program } }),
      changes,
    }
  }

  #changeOf(message: Message): RulesetChange | Collected | undefined {
    switch (message.type) {
      case wire.NFT_MSG_NEWSET:
      case wire.NFT_MSG_DELSET:
        return this.#setChange(message)
      case wire.NFT_MSG_NEWSETELEM:
      case wire.NFT_MSG_DELSETELEM:
        return this.#collect(message)
      default:
        return changeOf(message)
    }
  }

  #setChange(message: Message): RulesetChange {
    const found = read.readSet(message)
    const { elements: _, ...set } = setOf(found, [])
    const [table, gone] = [tableRef(found), message.type === wire.NFT_MSG_DELSET]
    const ref = { table, name: set.name }
    if (gone) this.#goneSets.push(ref)
    else {
      this.#goneSets = this.#goneSets.filter(each => each.name !== ref.name || !sameTable(each.table, table))
      this.#sets.add(ref, shapeOf(found))
    }
    return { type: 'set', gone, table, set }
  }

  /** Elements that follow each other are one change: the two ends of an interval are two messages. */
  #collect(message: Message): Collected | undefined {
    const found = read.readElements(message)
    const { set = '', elements = [] } = found.attributes
    const [table, gone] = [tableRef(found), message.type === wire.NFT_MSG_DELSETELEM]
    const last = this.#changes.at(-1)
    if (last && 'shape' in last && last.gone === gone && last.set === set && sameTable(last.table, table)) {
      last.elements.push(...elements)
      return undefined
    }
    return {
      gone,
      table,
      set,
      shape: this.#shapeFor({ table, name: set }, elements),
      elements: [...elements],
    }
  }

  /** Bytes for a set whose making was missed, when messages were lost. */
  #shapeFor(ref: NamedSet, elements: readonly wire.WireElement[]): SetShape {
    const [known, length] = [this.#sets.get(ref), keyLength(elements)]
    const fits = known && (length === undefined || length === known.type.length)
    return fits ? known : { type: rawType(0, length ?? 0), interval: false }
  }
}

/** The bytes of the elements' keys: of none, those of nothing. */
const keyLength = (elements: readonly wire.WireElement[]): number | undefined =>
  elements.find(({ key }) => key?.value)?.key?.value?.length

const tableRef = ({ family, attributes }: read.Listed<{ table?: string | undefined }>): TableRef => ({
  family,
  name: attributes.table ?? '',
})

const sameTable = (a: TableRef, b: TableRef) => a.family === b.family && a.name === b.name

function elementsChange({ gone, table, set, shape, elements }: Collected): RulesetChange {
  return { type: 'elements', gone, table, set, elements: elementsOf(shape, elements) }
}

/** Changes whose messages say all about themselves. */
function changeOf(message: Message): RulesetChange | undefined {
  const { type: number } = message
  switch (number) {
    case wire.NFT_MSG_NEWTABLE:
    case wire.NFT_MSG_DELTABLE:
      return {
        type: 'table',
        gone: number === wire.NFT_MSG_DELTABLE,
        table: read.tableOf(read.readTable(message)),
      }
    case wire.NFT_MSG_NEWCHAIN:
    case wire.NFT_MSG_DELCHAIN: {
      const found = read.readChain(message)
      const { rules: _, ...chain } = read.chainOf(found, [])
      return { type: 'chain', gone: number === wire.NFT_MSG_DELCHAIN, table: tableRef(found), chain }
    }
    case wire.NFT_MSG_NEWRULE:
    case wire.NFT_MSG_DELRULE:
      return { type: 'rule', gone: number === wire.NFT_MSG_DELRULE, rule: read.readRule(message) }
    case wire.NFT_MSG_NEWOBJ:
    case wire.NFT_MSG_DELOBJ: {
      const found = read.readObject(message)
      const gone = number === wire.NFT_MSG_DELOBJ
      return { type: 'object', gone, table: tableRef(found), object: read.objectOf(found) }
    }
    case wire.NFT_MSG_NEWFLOWTABLE:
    case wire.NFT_MSG_DELFLOWTABLE: {
      const found = read.readFlowtable(message)
      const gone = number === wire.NFT_MSG_DELFLOWTABLE
      return { type: 'flowtable', gone, table: tableRef(found), flowtable: read.flowtableOf(found) }
    }
    default:
      return undefined
  }
}
