import { NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../netlink/index.ts'
import { NftError } from './errors.ts'
import { type Hook, hookNumber, type Priority, priorityNumber, refText, type TableRef } from './names.ts'
import { inFamily, type Sink } from './operation.ts'
import * as wire from './wire/index.ts'

export interface ChainRef {
  readonly table: TableRef
  readonly name: string
}

/** A base chain, which packets pass at a hook; without `hook` one that others jump to. */
export interface ChainSpec extends ChainRef {
  readonly type?: 'filter' | 'nat' | 'route'
  readonly hook?: Hook
  /** 0 unless said otherwise. */
  readonly priority?: Priority
  /** What becomes of packets that no rule decides about; `accept` unless said otherwise. */
  readonly policy?: 'accept' | 'drop'
  /** For `ingress` and `egress`: names of the interfaces. */
  readonly devices?: readonly string[]
}

/** A chain by its name, or by the handle that the kernel gave it. */
export type ChainToRemove = ChainRef | { readonly table: TableRef; readonly handle: bigint }

/** What can be done to chains. */
export class ChainChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Makes a chain; of one that is there already, sets the policy if one is given. `nft add chain …` */
  add(spec: ChainSpec): void {
    this.#sink(() => [newChain('add chain', spec, NLM_F_CREATE)])
  }

  /** Makes a chain that must not be there. `nft create chain …` */
  create(spec: ChainSpec): void {
    this.#sink(() => [newChain('create chain', spec, NLM_F_CREATE | NLM_F_EXCL)])
  }

  /** Removes it; nothing may jump to it any more. `nft delete chain <family> <table> <name>` */
  remove(which: ChainToRemove): void {
    const { family, name: table } = which.table
    const attributes = 'name' in which ? { table, name: which.name } : { table, handle: which.handle }
    const target = 'name' in which ? chainText(which) : `${refText(which.table)} handle ${which.handle}`
    const about = { type: wire.NFT_MSG_DELCHAIN, op: 'delete chain', target }
    this.#sink(() => [request(wire.chainMessage, inFamily(family, attributes), about)])
  }

  /** Removes its rules. `nft flush chain <family> <table> <name>` */
  flush(ref: ChainRef): void {
    const attributes = { table: ref.table.name, chain: ref.name }
    const about = { type: wire.NFT_MSG_DELRULE, op: 'flush chain', target: chainText(ref) }
    this.#sink(() => [request(wire.ruleMessage, inFamily(ref.table.family, attributes), about)])
  }
}

const chainText = ({ table, name }: ChainRef): string => `${refText(table)} ${name}`

const policies = { drop: 0, accept: 1 } // NF_DROP, NF_ACCEPT

function newChain(op: string, spec: ChainSpec, flags: number): Request {
  const { table, name, type, hook, policy } = spec
  if (hook === undefined && (type ?? policy ?? spec.priority ?? spec.devices) !== undefined)
    throw badChain(op, spec, 'type, priority, policy and devices are for chains with a hook')
  const attributes = {
    table: table.name,
    name,
    ...(hook !== undefined && { type: type ?? 'filter' }),
    ...(policy !== undefined && { policy: policies[policy] }),
    ...(hook !== undefined && { hook: hookOf(op, spec, hook) }),
  }
  const about = { type: wire.NFT_MSG_NEWCHAIN, flags, op, target: chainText(spec) }
  return request(wire.chainMessage, inFamily(table.family, attributes), about)
}

function hookOf(op: string, spec: ChainSpec, hook: Hook) {
  const { family } = spec.table
  const number = hookNumber(family, hook)
  if (number < 0) throw badChain(op, spec, `a ${family} table has no hook ${hook}`)
  const priority = priorityNumber(family, spec.priority ?? 0)
  if (priority === undefined) throw badChain(op, spec, `a ${family} table has no priority ${spec.priority}`)
  const [device, ...more] = spec.devices ?? []
  if (device === undefined) return { number, priority }
  return more.length === 0 ? { number, priority, device } : { number, priority, devices: [device, ...more] }
}

function badChain(op: string, spec: ChainSpec, reason: string): NftError {
  return new NftError({ code: 'NFT_CHAIN', kind: 'usage', op, target: chainText(spec), reason })
}
