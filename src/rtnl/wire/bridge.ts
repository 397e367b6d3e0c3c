import { be16, type Codec, flag, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'

/** A boolean in one byte. */
export const onOff: Codec<boolean> = {
  write: (out, value) => out.u8(value ? 1 : 0),
  read: from => from.u8() !== 0,
}
/** A boolean in four bytes, as IFLA_BR_STP_STATE has it (2: a daemon runs the protocol). */
const onOff32: Codec<boolean> = {
  write: (out, value) => out.u32(value ? 1 : 0),
  read: from => from.u32() !== 0,
}

/** IFLA_BR_*. Times in hundredths of a second (USER_HZ). */
export const bridgeAttributes = attributes({
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  stp: [5, onOff32],
  priority: [6, u16],
  vlanFiltering: [7, onOff],
  vlanProtocol: [8, be16],
  groupFwdMask: [9, u16],
  multicastSnooping: [23, onOff],
  multicastQuerier: [25, onOff],
  nfCallIptables: [36, onOff],
  nfCallIp6tables: [37, onOff],
  nfCallArptables: [38, onOff],
  vlanDefaultPvid: [39, u16],
})
export type BridgeAttributes = ValueOf<typeof bridgeAttributes>

/** IFLA_BRPORT_*. */
export const portAttributes = attributes({
  state: [1, u8],
  priority: [2, u16],
  cost: [3, u32],
  hairpin: [4, onOff],
  guard: [5, onOff],
  rootBlock: [6, onOff],
  fastLeave: [7, onOff],
  learning: [8, onOff],
  flood: [9, onOff],
  proxyArp: [10, onOff],
  proxyArpWifi: [12, onOff],
  flush: [24, flag],
  multicastRouter: [25, u8],
  multicastFlood: [27, onOff],
  multicastToUnicast: [28, onOff],
  vlanTunnel: [29, onOff],
  broadcastFlood: [30, onOff],
  groupFwdMask: [31, u16],
  neighbourSuppress: [32, onOff],
  isolated: [33, onOff],
  locked: [39, onOff],
  macAuthBypass: [40, onOff],
  neighbourVlanSuppress: [43, onOff],
})
export type PortAttributes = ValueOf<typeof portAttributes>
