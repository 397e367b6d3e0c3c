import { NLM_F_CREATE, type Request, request } from '../../netlink/index.ts'
import { deviceNames } from '../chains.ts'
import type { Chain, Flowtable, NftObject, Table } from '../listing/model.ts'
import { hookNumber, refText } from '../names.ts'
import { objectData } from '../object/objects.ts'
import { type Building, inFamily } from '../operation.ts'
import { attachment } from '../user-data.ts'
import * as wire from '../wire/index.ts'
import { innerFirst, restoredRule } from './rules.ts'
import { restoredSet } from './sets.ts'

/** Requests that make a listed table again, with everything in it. */
export function restoredTable(table: Table, { nextId }: Pick<Building, 'nextId'>): Request[] {
  const ids = new Map(
    table.chains.filter(({ anonymous }) => anonymous).map(({ name }) => [name, nextId()] as const),
  )
  const numbers = { nextId, chainId: (name: string) => ids.get(name) }
  const named = table.sets.filter(({ anonymous }) => !anonymous)
  return [
    tableRequest(table),
    ...table.objects.map(object => objectRequest(table, object)),
    ...table.flowtables.map(flowtable => flowtableRequest(table, flowtable)),
    ...table.chains.map(chain => chainRequest(table, chain, ids.get(chain.name))),
    ...named.flatMap(set => {
      const doing = { op: 'restore set', target: `${refText(table)} ${set.name}` }
      return restoredSet(table, set, { ...doing, id: nextId() })
    }),
    ...innerFirst(table.chains).flatMap(({ rules }) =>
      rules.flatMap(rule => restoredRule(table, rule, numbers)),
    ),
  ]
}

function tableRequest(table: Table): Request {
  const flags =
    (table.dormant ? wire.NFT_TABLE_F_DORMANT : 0) |
    (table.owner === undefined ? 0 : wire.NFT_TABLE_F_OWNER) |
    (table.persistent ? wire.NFT_TABLE_F_PERSIST : 0)
  const value = inFamily(table.family, { name: table.name, flags, ...attachment(table) })
  const about = {
    type: wire.NFT_MSG_NEWTABLE,
    flags: NLM_F_CREATE,
    op: 'restore table',
    target: refText(table),
  }
  return request(wire.tableMessage, value, about)
}

/** `id` for a chain that belongs to a rule: it gets its name from the kernel. */
function chainRequest(table: Table, chain: Chain, id: number | undefined): Request {
  const { type, policy, offload, counter } = chain
  const flags = (offload ? wire.NFT_CHAIN_HW_OFFLOAD : 0) | (id === undefined ? 0 : wire.NFT_CHAIN_BINDING)
  const hook = hookOf(table, chain)
  const attributes = {
    table: table.name,
    ...(id === undefined ? { name: chain.name } : { id }),
    ...(hook && { hook, type: type ?? 'filter' }),
    ...(policy && { policy: policy === 'drop' ? 0 : 1 }),
    ...(counter && { counters: { ...counter } }),
    ...(flags !== 0 && { flags }),
    ...attachment(chain),
  }
  const target = `${refText(table)} ${chain.name}`
  const about = { type: wire.NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE, op: 'restore chain', target }
  return request(wire.chainMessage, inFamily(table.family, attributes), about)
}

function hookOf({ family }: Table, { hook, priority = 0, devices = [] }: Chain) {
  if (hook === undefined) return undefined
  const named = hookNumber(family, hook)
  const number = named < 0 ? Number(hook) : named
  return { number, priority, ...(devices.length > 0 && { devices: deviceNames(devices) }) }
}

function objectRequest(table: Table, object: NftObject): Request {
  const { name, type } = object
  const attributes = {
    table: table.name,
    name,
    type,
    ...objectData(object, table.family),
    ...attachment(object),
  }
  const target = `${refText(table)} ${name}`
  const about = { type: wire.NFT_MSG_NEWOBJ, flags: NLM_F_CREATE, op: `restore ${type}`, target }
  return request(wire.objectMessage, inFamily(table.family, attributes), about)
}

function flowtableRequest(table: Table, { name, priority, devices, offload, counter }: Flowtable): Request {
  const flags = (offload ? wire.NFT_FLOWTABLE_HW_OFFLOAD : 0) | (counter ? wire.NFT_FLOWTABLE_COUNTER : 0)
  const hook = { number: 0, priority, devices: deviceNames(devices) }
  const value = inFamily(table.family, { table: table.name, name, hook, ...(flags !== 0 && { flags }) })
  const target = `${refText(table)} ${name}`
  const about = { type: wire.NFT_MSG_NEWFLOWTABLE, flags: NLM_F_CREATE, op: 'restore flowtable', target }
  return request(wire.flowtableMessage, value, about)
}
