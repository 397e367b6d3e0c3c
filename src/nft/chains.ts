import { NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../netlink/index.ts'
import { NftError } from './errors.ts'
import {
  type Hook,
  hookNumber,
  hooksOf,
  noPriority,
  type Priority,
  priorityNumber,
  refText,
  type TableRef,
} from './names.ts'
import { inFamily, type RemoveOptions, type Sink } from './operation.ts'
import { take } from './takes.ts'
import { attachment } from './user-data.ts'
import * as wire from './wire/index.ts'
import type { chainTypes, policies as policyNames } from './words.ts'

export interface ChainRef {
  readonly table: TableRef
  readonly name: string
}

/** A base chain, which packets pass at a hook. Without `hook`, a chain that other chains jump to. */
export interface ChainSpec extends ChainRef {
  readonly type?: (typeof chainTypes)[number]
  readonly hook?: Hook
  /** Default: 0. */
  readonly priority?: Priority
  /** What happens to packets that no rule decides about. Default: `accept`. */
  readonly policy?: (typeof policyNames)[number]
  /** For `ingress` and `egress`: names of the interfaces. */
  readonly devices?: readonly string[]
  /** Rules of an `ingress` chain are carried out by the interface's hardware. */
  readonly offload?: boolean
  readonly comment?: string
}

/** A chain by its name, or by the handle that the kernel gave it. */
export type ChainToRemove = ChainRef | { readonly table: TableRef; readonly handle: bigint }

/** Changes of chains. */
export class ChainChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds a chain. For one that exists it sets the policy, if given. `nft add chain …` */
  add(spec: ChainSpec): void {
    take('add chain', spec, 'ChainSpec')
    this.#sink(() => [newChain('add chain', spec, NLM_F_CREATE)])
  }

  /** Creates a chain that does not exist. `nft create chain …` */
  create(spec: ChainSpec): void {
    take('create chain', spec, 'ChainSpec')
    this.#sink(() => [newChain('create chain', spec, NLM_F_CREATE | NLM_F_EXCL)])
  }

  /** Gives a chain another name, by its handle. `nft rename chain <family> <table> <name> <new name>` */
  rename(chain: ChainRef & { readonly handle: bigint }): void {
    const { table, handle, name } = take('rename chain', chain, 'ChainToRename')
    const about = {
      type: wire.NFT_MSG_NEWCHAIN,
      op: 'rename chain',
      target: `${refText(table)} handle ${handle}`,
    }
    const value = inFamily(table.family, { table: table.name, name, handle })
    this.#sink(() => [request(wire.chainMessage, value, about)])
  }

  /** Removes a chain that no rule jumps to. `nft delete chain <family> <table> <name>` */
  remove(which: ChainToRemove, options: RemoveOptions = {}): void {
    take('delete chain', which, 'ChainToRemove')
    const { ifExists = false } = take('delete chain', options, 'RemoveOptions')
    const { family, name: table } = which.table
    const attributes = 'name' in which ? { table, name: which.name } : { table, handle: which.handle }
    const target = 'name' in which ? chainText(which) : `${refText(which.table)} handle ${which.handle}`
    const type = ifExists ? wire.NFT_MSG_DESTROYCHAIN : wire.NFT_MSG_DELCHAIN
    const about = { type, op: 'delete chain', target }
    this.#sink(() => [request(wire.chainMessage, inFamily(family, attributes), about)])
  }

  /** Removes the chain's rules. `nft flush chain <family> <table> <name>` */
  flush(ref: ChainRef): void {
    take('flush chain', ref, 'ChainRef')
    const attributes = { table: ref.table.name, chain: ref.name }
    const about = { type: wire.NFT_MSG_DELRULE, op: 'flush chain', target: chainText(ref) }
    this.#sink(() => [request(wire.ruleMessage, inFamily(ref.table.family, attributes), about)])
  }
}

const chainText = ({ table, name }: ChainRef): string => `${refText(table)} ${name}`

const policies = { drop: 0, accept: 1 } // NF_DROP, NF_ACCEPT

function newChain(op: string, spec: ChainSpec, flags: number): Request {
  const { table, name, type, hook, policy, offload, comment } = spec
  if (hook === undefined && (type ?? policy ?? spec.priority ?? spec.devices) !== undefined)
    throw badChain(op, spec, 'type, priority, policy and devices need a hook')
  const attributes = {
    table: table.name,
    name,
    ...(hook !== undefined && { type: type ?? 'filter' }),
    ...(policy !== undefined && { policy: policies[policy] }),
    ...(hook !== undefined && { hook: hookOf(op, spec, hook) }),
    ...(offload && { flags: wire.NFT_CHAIN_HW_OFFLOAD }),
    ...attachment({ comment }),
  }
  const about = { type: wire.NFT_MSG_NEWCHAIN, flags, op, target: chainText(spec) }
  return request(wire.chainMessage, inFamily(table.family, attributes), about)
}

function hookOf(op: string, spec: ChainSpec, hook: Hook) {
  const { family } = spec.table
  const number = hookNumber(family, hook)
  if (number < 0)
    throw badChain(
      op,
      spec,
      `tables of family ${family} have no hook ${hook}, but ${hooksOf(family).join(', ')}`,
    )
  const priority = priorityNumber(family, spec.priority ?? 0)
  if (priority === undefined) throw badChain(op, spec, noPriority(family, spec.priority))
  const [device, ...more] = spec.devices ?? []
  if (device === undefined) return { number, priority }
  return more.length === 0
    ? { number, priority, device }
    : { number, priority, devices: deviceNames([device, ...more]) }
}

/** Names, and beginnings of names (`eth*`). */
export function deviceNames(devices: readonly string[]): wire.DeviceNames {
  const prefixes = devices.filter(name => name.endsWith('*')).map(name => name.slice(0, -1))
  const names = devices.filter(name => !name.endsWith('*'))
  return { ...(names.length > 0 && { names }), ...(prefixes.length > 0 && { prefixes }) }
}

function badChain(op: string, spec: ChainSpec, reason: string): NftError {
  return new NftError({ code: 'NFT_CHAIN', kind: 'usage', op, target: chainText(spec), reason })
}
