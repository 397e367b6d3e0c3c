import { be16, be32, be64, bytes, text, u8, type ValueOf } from '../../base/index.ts'
import { attributes, list, message, nested } from '../../netlink/index.ts'
import { beI32 } from './choice.ts'
import { data } from './data.ts'
import { expression } from './expressions.ts'

/** struct nfgenmsg. */
const nfgenmsg = { family: u8, version: u8, resource: be16 }

export const batchMessage = message(nfgenmsg, attributes({}))

/** NFTA_GEN_*. */
export const generationMessage = message(nfgenmsg, attributes({ id: [1, be32] }))

/** NFTA_TABLE_*. */
export const tableMessage = message(
  nfgenmsg,
  attributes({
    name: [1, text],
    flags: [2, be32],
    use: [3, be32],
    handle: [4, be64],
    userData: [6, bytes],
    owner: [7, be32],
  }),
)

/** NFTA_HOOK_*, NFTA_DEVICE_NAME. */
const hook = nested(
  attributes({
    number: [1, be32],
    priority: [2, beI32],
    device: [3, text],
    devices: [4, nested(list(text, 1))],
  }),
)

/** NFTA_CHAIN_*. */
export const chainMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    handle: [2, be64],
    name: [3, text],
    hook: [4, hook],
    policy: [5, be32],
    use: [6, be32],
    type: [7, text],
    flags: [10, be32],
    userData: [12, bytes],
  }),
)

/** NFTA_RULE_*. */
export const ruleMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    chain: [2, text],
    handle: [3, be64],
    expressions: [4, nested(list(expression, 1))],
    position: [6, be64],
    userData: [7, bytes],
  }),
)

/** NFTA_SET_* and NFTA_SET_DESC_*. */
export const setMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    name: [2, text],
    flags: [3, be32],
    keyType: [4, be32],
    keyLength: [5, be32],
    dataType: [6, be32],
    dataLength: [7, be32],
    description: [9, nested(attributes({ size: [1, be32] }))],
    id: [10, be32],
    userData: [13, bytes],
    handle: [16, be64],
  }),
)

/** NFTA_SET_ELEM_*. */
const element = nested(
  attributes({
    key: [1, data],
    data: [2, data],
    flags: [3, be32],
    userData: [6, bytes],
    keyEnd: [10, data],
  }),
)
export type WireElement = ValueOf<typeof element>

/** NFTA_SET_ELEM_LIST_*. */
export const elementsMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    set: [2, text],
    elements: [3, nested(list(element))],
    setId: [4, be32],
  }),
)
