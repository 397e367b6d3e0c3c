import { NLM_F_CREATE, request } from '../../netlink/index.ts'
import { deviceNames } from '../chains.ts'
import { NftError } from '../errors.ts'
import { noPriority, type Priority, priorityNumber, refText, type TableRef } from '../names.ts'
import { inFamily, type RemoveOptions, type Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'

export interface FlowtableRef {
  readonly table: TableRef
  readonly name: string
}

/** Connections whose packets take a short way from one interface to another, past the chains. */
export interface FlowtableSpec extends FlowtableRef {
  /** Default: 0. */
  readonly priority?: Priority
  /** The interfaces whose packets can take it. */
  readonly devices: readonly string[]
  /** The interfaces' hardware forwards the packets. */
  readonly offload?: boolean
  /** Counts the packets of its connections. */
  readonly counter?: boolean
}

/** Changes of flow tables. */
export class FlowtableChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds a flow table, or interfaces to one. `nft add flowtable …` */
  add(spec: FlowtableSpec): void {
    take('add flowtable', spec, 'FlowtableSpec')
    const { table, name, offload, counter } = spec
    const priority = priorityNumber(table.family, spec.priority ?? 0)
    const target = flowtableText(spec)
    if (priority === undefined) throw unknownPriority(spec)
    const flags = (offload ? wire.NFT_FLOWTABLE_HW_OFFLOAD : 0) | (counter ? wire.NFT_FLOWTABLE_COUNTER : 0)
    const hook = { number: ingress, priority, devices: deviceNames(spec.devices) }
    const value = inFamily(table.family, { table: table.name, name, hook, flags })
    const about = { type: wire.NFT_MSG_NEWFLOWTABLE, flags: NLM_F_CREATE, op: 'add flowtable', target }
    this.#sink(() => [request(wire.flowtableMessage, value, about)])
  }

  /** Removes a flow table that no rule uses. `nft delete flowtable …` */
  remove(ref: FlowtableRef, options: RemoveOptions = {}): void {
    take('delete flowtable', ref, 'NamedSet')
    const { ifExists = false } = take('delete flowtable', options, 'RemoveOptions')
    const type = ifExists ? wire.NFT_MSG_DESTROYFLOWTABLE : wire.NFT_MSG_DELFLOWTABLE
    const about = { type, op: 'delete flowtable', target: flowtableText(ref) }
    const value = inFamily(ref.table.family, { table: ref.table.name, name: ref.name })
    this.#sink(() => [request(wire.flowtableMessage, value, about)])
  }
}

const ingress = 0 // NF_NETDEV_INGRESS

const flowtableText = ({ table, name }: FlowtableRef): string => `${refText(table)} ${name}`

function unknownPriority(spec: FlowtableSpec): NftError {
  const reason = noPriority(spec.table.family, spec.priority)
  return new NftError({
    code: 'NFT_CHAIN',
    kind: 'usage',
    op: 'add flowtable',
    target: flowtableText(spec),
    reason,
  })
}
