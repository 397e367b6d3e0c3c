import { be32, be64, type ValueOf } from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'
import { enumeration } from './choice.ts'
import { expressionCodec } from './expression-codec.ts'

/** Expressions with a state of their own. They stand in rules and with the elements of sets. */
export const statefulTables = {
  limit: attributes({
    rate: [1, be64],
    unit: [2, be64],
    burst: [3, be32],
    type: [4, enumeration(be32, 'packets', 'bytes')],
    flags: [5, be32],
  }),
  counter: attributes({ bytes: [1, be64], packets: [2, be64] }),
  quota: attributes({ bytes: [1, be64], flags: [2, be32], consumed: [4, be64] }),
  connlimit: attributes({ count: [1, be32], flags: [2, be32] }),
  last: attributes({ set: [1, be32], milliseconds: [2, be64] }),
}

/** NFTA_EXPR_* of the expressions that each element of a set can have. */
export const stateful = expressionCodec(statefulTables)
export type StatefulExpression = ValueOf<typeof stateful>
