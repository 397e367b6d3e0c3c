import { be32, be64, bytes, text, type ValueOf } from '../../base/index.ts'
import { attributes, list, message, nested } from '../../netlink/index.ts'
import { beI32, enumeration } from './choice.ts'
import { data } from './data.ts'
import { expression } from './expressions.ts'
import { objectType } from './keys.ts'
import { deviceNames, nfgenmsg } from './nfgenmsg.ts'
import { stateful } from './stateful-tables.ts'

export const batchMessage = message(nfgenmsg, attributes({}))

/** NFTA_GEN_*: the number of a change, and the process that made it. */
export const generationMessage = message(
  nfgenmsg,
  attributes({ id: [1, be32], process: [2, be32], program: [3, text] }),
)

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
    devices: [4, deviceNames],
  }),
)

/** NFTA_COUNTER_*. */
const counters = nested(attributes({ bytes: [1, be64], packets: [2, be64] }))

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
    counters: [8, counters],
    flags: [10, be32],
    id: [11, be32],
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
    compat: [5, nested(attributes({ protocol: [1, be32], flags: [2, be32] }))],
    position: [6, be64],
    userData: [7, bytes],
    id: [9, be32],
    chainId: [11, be32],
  }),
)

/** NFTA_SET_DESC_*: the most elements, and the lengths of the parts of a concatenation. */
const description = nested(
  attributes({
    size: [1, be32],
    parts: [2, nested(list(nested(attributes({ length: [1, be32] })), 1))],
  }),
)

/** NFTA_SET_*. */
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
    policy: [8, enumeration(be32, 'performance', 'memory')],
    description: [9, description],
    id: [10, be32],
    timeout: [11, be64],
    gcInterval: [12, be32],
    userData: [13, bytes],
    objectType: [15, objectType],
    handle: [16, be64],
    expression: [17, stateful],
    expressions: [18, nested(list(stateful, 1))],
    /** How the kernel stores it, `nft_set_rbtree`. */
    backend: [19, text],
    count: [20, be32],
  }),
)

/** NFTA_SET_ELEM_*. */
const element = nested(
  attributes({
    key: [1, data],
    data: [2, data],
    flags: [3, be32],
    timeout: [4, be64],
    expiration: [5, be64],
    userData: [6, bytes],
    expression: [7, stateful],
    object: [9, text],
    keyEnd: [10, data],
    expressions: [11, nested(list(stateful, 1))],
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
