import { be16, be32, be64, bytes, text } from '../../base/index.ts'
import { attributes, message } from '../../netlink/index.ts'
import { enumeration } from './choice.ts'
import { verdict } from './data.ts'
import { nfgenmsg } from './nfgenmsg.ts'

/** NFTA_TRACE_*: one step of a packet through the rules. */
export const packetTraceMessage = message(
  nfgenmsg,
  attributes({
    table: [1, text],
    chain: [2, text],
    rule: [3, be64],
    type: [4, enumeration(be32, 'none', 'policy', 'return', 'rule')],
    verdict: [5, verdict],
    id: [6, be32],
    linkHeader: [7, bytes],
    networkHeader: [8, bytes],
    transportHeader: [9, bytes],
    iif: [10, be32],
    iiftype: [11, be16],
    oif: [12, be32],
    oiftype: [13, be16],
    mark: [14, be32],
    nfproto: [15, be32],
    policy: [16, be32],
  }),
)
