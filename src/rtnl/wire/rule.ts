import { text, u8, u32 } from '../../base/index.ts'
import { attributes, message } from '../../netlink/index.ts'

/** FRA_*, those of any use here. */
const ruleAttributes = attributes({
  inName: [3, text],
  priority: [6, u32],
  table: [15, u32],
  outName: [17, text],
})

/** struct fib_rule_hdr and FRA_*: RTM_NEWRULE. */
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
