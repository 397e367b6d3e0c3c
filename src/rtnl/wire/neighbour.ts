import { be16, bytes, i32, struct, u8, u16, u32 } from '../../base/index.ts'
import { attributes, growing, message } from '../../netlink/index.ts'

/** NDA_*. Times of `cache` in hundredths of a second (USER_HZ). */
const neighbourAttributes = attributes({
  destination: [1, bytes],
  mac: [2, bytes],
  cache: [3, growing(struct({ confirmed: u32, used: u32, updated: u32, references: u32 }))],
  probes: [4, u32],
  vlan: [5, u16],
  port: [6, be16],
  vni: [7, u32],
  outIndex: [8, u32],
  master: [9, u32],
  sourceVni: [11, u32],
  protocol: [12, u8],
  nextHopId: [13, u32],
  extendedFlags: [15, u32],
})

/**
 * struct ndmsg and NDA_*: RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH. With AF_BRIDGE it is an entry of a
 * forwarding table.
 */
export const neighbourMessage = message(
  { family: u8, pad: u8, pad2: u16, index: i32, state: u16, flags: u8, type: u8 },
  neighbourAttributes,
)
export type NeighbourMessage = ReturnType<typeof neighbourMessage.read>
export type NeighbourToWrite = Parameters<typeof neighbourMessage.write>[1]
