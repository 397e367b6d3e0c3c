import type { Message } from '../../netlink/index.ts'
import { type Family, familyOf, hookOf } from '../names.ts'
import { objectKinds } from '../object/kinds.ts'
import type { ObjectKind } from '../object/spec.ts'
import { attachedTo } from '../user-data.ts'
import * as wire from '../wire/index.ts'
import type { Chain, Flowtable, NftObject, Rule, Table } from './model.ts'

/** The family and attributes of a listed message. */
export interface Listed<A> {
  readonly family: Family
  readonly attributes: A
}

/** Reads a message of a dump. */
const reader =
  <A>(body: { read(from: Message['body']): { family: number; attributes: A } }) =>
  ({ body: from }: Message): Listed<A> => {
    const { family, attributes } = body.read(from)
    return { family: familyOf(family), attributes }
  }

export const readTable = reader(wire.tableMessage)
export const readChain = reader(wire.chainMessage)
export const readSet = reader(wire.setMessage)
export const readElements = reader(wire.elementsMessage)
export const readObject = reader(wire.objectMessage)
export const readFlowtable = reader(wire.flowtableMessage)
const readRuleMessage = reader(wire.ruleMessage)

export type TableMessage = ReturnType<typeof readTable>
export type ChainMessage = ReturnType<typeof readChain>
export type ObjectMessage = ReturnType<typeof readObject>
export type FlowtableMessage = ReturnType<typeof readFlowtable>

export function readRule(message: Message): Rule {
  const { family, attributes } = readRuleMessage(message)
  const { table = '', chain = '', handle = 0n, position, expressions = [], userData, compat } = attributes
  return {
    table: { family, name: table },
    chain,
    handle,
    ...(position !== undefined && { after: position }),
    expressions,
    ...attachedTo(userData),
    ...(compat && { compat }),
  }
}

/** What a table is, apart from its contents. */
export type TableHead = Omit<Table, 'chains' | 'sets' | 'objects' | 'flowtables'>

export function tableOf({ family, attributes }: TableMessage): TableHead {
  const { name = '', handle = 0n, flags = 0, owner, userData } = attributes
  return {
    family,
    name,
    handle,
    dormant: (flags & wire.NFT_TABLE_F_DORMANT) !== 0,
    ...(owner !== undefined && { owner }),
    ...((flags & wire.NFT_TABLE_F_PERSIST) !== 0 && { persistent: true }),
    ...attachedTo(userData),
  }
}

function devicesOf(names: wire.DeviceNames | undefined, device: string | undefined): string[] | undefined {
  const all = [...(names?.names ?? []), ...(names?.prefixes ?? []).map(prefix => `${prefix}*`)]
  if (all.length > 0) return all
  return device === undefined ? undefined : [device]
}

export function chainOf({ family, attributes }: ChainMessage, rules: readonly Rule[]): Chain {
  const { name = '', handle = 0n, type, hook, policy, flags = 0, counters, userData } = attributes
  const devices = devicesOf(hook?.devices, hook?.device)
  return {
    name,
    handle,
    ...(type !== undefined && { type }),
    ...(hook?.number !== undefined && { hook: hookOf(family, hook.number) }),
    ...(hook?.priority !== undefined && { priority: hook.priority }),
    ...(policy !== undefined && { policy: policy === 0 ? 'drop' : 'accept' }),
    ...(devices && { devices }),
    ...((flags & wire.NFT_CHAIN_HW_OFFLOAD) !== 0 && { offload: true }),
    ...((flags & wire.NFT_CHAIN_BINDING) !== 0 && { anonymous: true }),
    ...(counters && { counter: { packets: counters.packets ?? 0n, bytes: counters.bytes ?? 0n } }),
    ...attachedTo(userData),
    rules,
  }
}

export function objectOf({ attributes }: ObjectMessage): NftObject {
  const { name = '', handle = 0n, use = 0, type = 0, userData, other } = attributes
  return { name, handle, uses: use, ...attachedTo(userData), ...kindOf(type, attributes, other) }
}

function kindOf(
  type: string | number,
  data: Partial<wire.ObjectData>,
  other: Uint8Array = new Uint8Array(),
): ObjectKind {
  if (!Object.hasOwn(objectKinds, type)) return { type: type as number, data: other }
  const { read } = objectKinds[type as wire.ObjectType] as { read(data: unknown): object }
  return { type, ...read(data[type as wire.ObjectType] ?? {}) } as ObjectKind
}

export function flowtableOf({ attributes }: FlowtableMessage): Flowtable {
  const { name = '', handle = 0n, hook, use = 0, flags = 0 } = attributes
  return {
    name,
    handle,
    priority: hook?.priority ?? 0,
    devices: devicesOf(hook?.devices, undefined) ?? [],
    ...((flags & wire.NFT_FLOWTABLE_HW_OFFLOAD) !== 0 && { offload: true }),
    ...((flags & wire.NFT_FLOWTABLE_COUNTER) !== 0 && { counter: true }),
    uses: use,
  }
}
