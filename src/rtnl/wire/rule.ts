import { be32, be64, bytes, i32, struct, text, u8, u16, u32 } from '../../base/index.ts'
import { attributes, message } from '../../netlink/index.ts'

const range16 = struct({ first: u16, last: u16 })
const range32 = struct({ first: u32, last: u32 })

/** FRA_*. */
const ruleAttributes = attributes({
  destination: [1, bytes],
  source: [2, bytes],
  inName: [3, text],
  goto: [4, u32],
  priority: [6, u32],
  mark: [10, u32],
  flow: [11, u32],
  tunnelId: [12, be64],
  suppressGroup: [13, i32],
  suppressPrefixLength: [14, i32],
  table: [15, u32],
  mask: [16, u32],
  outName: [17, text],
  l3mdev: [19, u8],
  uids: [20, range32],
  protocol: [21, u8],
  ipProtocol: [22, u8],
  sourcePorts: [23, range16],
  destinationPorts: [24, range16],
  dscp: [25, u8],
  flowLabel: [26, be32],
  flowLabelMask: [27, be32],
  sourcePortMask: [28, u16],
  destinationPortMask: [29, u16],
  dscpMask: [30, u8],
})

/** struct fib_rule_hdr and FRA_*: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE. */
export const ruleMessage = message(
  {
    family: u8,
    destinationLength: u8,
    sourceLength: u8,
    tos: u8,
    table: u8,
    reserved1: u8,
    reserved2: u8,
    action: u8,
    flags: u32,
  },
  ruleAttributes,
)
export type RuleMessage = ReturnType<typeof ruleMessage.read>
export type RuleToWrite = Parameters<typeof ruleMessage.write>[1]
