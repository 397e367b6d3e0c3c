import { be16, be32, bytes, text, u8 } from '../../base/index.ts'
import { attributes, list, message, nested, when } from '../../netlink/index.ts'

/** NFTA_META_*, NFTA_CMP_*, NFTA_PAYLOAD_*: what an expression's data look like depends on its name. */
const meta = nested(attributes({ destination: [1, be32], key: [2, be32] }))
const compare = nested(
  attributes({
    source: [1, be32],
    operation: [2, be32],
    data: [3, nested(attributes({ value: [1, bytes] }))],
  }),
)
const payload = nested(
  attributes({ destination: [1, be32], base: [2, be32], offset: [3, be32], length: [4, be32] }),
)

/** NFTA_EXPR_*. */
const expression = nested(
  attributes({
    name: [1, text],
    meta: [2, when('name', 'meta', meta)],
    compare: [2, when('name', 'cmp', compare)],
    payload: [2, when('name', 'payload', payload)],
    data: [2, nested(attributes({}))],
  }),
)
export type Expression = Parameters<typeof expression.write>[1]

/** struct nfgenmsg. */
const nfgenmsg = { family: u8, version: u8, resource: be16 }

export const batchMessage = message(nfgenmsg, attributes({}))

/** NFTA_TABLE_*. */
export const tableMessage = message(nfgenmsg, attributes({ name: [1, text], flags: [2, be32] }))

/** NFTA_CHAIN_* and NFTA_HOOK_*. */
export const chainMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    name: [3, text],
    hook: [4, nested(attributes({ number: [1, be32], priority: [2, be32] }))],
    policy: [5, be32],
    type: [7, text],
  }),
)

/** NFTA_RULE_*. */
export const ruleMessage = message(
  nfgenmsg,
  attributes({ table: [1, text], chain: [2, text], expressions: [4, nested(list(expression, 1))] }),
)
