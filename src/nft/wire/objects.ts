import { be16, be32, be64, bytes, text, u8, u32, type ValueOf } from '../../base/index.ts'
import { attributes, bareText, message, nested, when } from '../../netlink/index.ts'
import { beI32 } from './choice.ts'
import { tables } from './expression-tables.ts'
import { objectType } from './keys.ts'
import { deviceNames, nfgenmsg } from './nfgenmsg.ts'

/** CTA_TIMEOUT_<PROTOCOL>_*: seconds by the number of a state of the protocol, from 0. */
const timeouts = attributes<Record<number, [number, typeof be32]>>(
  Object.fromEntries(Array.from({ length: 16 }, (_, state) => [state, [state + 1, be32]])),
)

/** The data of each kind of object, by the numbers of NFT_OBJECT_*. */
export const objectTables = {
  counter: tables.counter,
  quota: tables.quota,
  limit: tables.limit,
  connlimit: tables.connlimit,
  synproxy: tables.synproxy,
  'ct helper': attributes({ helper: [1, bareText], family: [2, be16], protocol: [3, u8] }),
  'ct timeout': attributes({ family: [1, be16], protocol: [2, u8], timeouts: [3, nested(timeouts)] }),
  'ct expectation': attributes({
    family: [1, be16],
    protocol: [2, u8],
    port: [3, be16],
    /** In host order, unlike all others. */
    timeout: [4, u32],
    size: [5, u8],
  }),
  secmark: attributes({ context: [1, bareText] }),
}
type Tables = typeof objectTables
export type ObjectType = keyof Tables
export type ObjectData = { -readonly [K in ObjectType]?: ValueOf<Tables[K]> | undefined }

const data = Object.fromEntries(
  Object.entries(objectTables).map(([type, table]) => [
    type,
    [4, when('type', type, nested<never>(table as never))],
  ]),
) as unknown as { [K in ObjectType]: [4, Tables[K]] }

/** NFTA_OBJ_*. The type decides how the data are read. */
export const objectMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    name: [2, text],
    type: [3, objectType],
    use: [5, be32],
    handle: [6, be64],
    userData: [8, bytes],
    ...data,
    other: [4, nested(bytes)],
  }),
)

/** NFTA_FLOWTABLE_* and NFTA_FLOWTABLE_HOOK_*. */
export const flowtableMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    name: [2, text],
    hook: [3, nested(attributes({ number: [1, be32], priority: [2, beI32], devices: [3, deviceNames] }))],
    use: [4, be32],
    handle: [5, be64],
    flags: [7, be32],
  }),
)
