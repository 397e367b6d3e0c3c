import { be16, bytes, type Codec, flag, struct, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'
import { count } from './statistics.ts'

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

/** struct ifla_bridge_id: a priority and an Ethernet address. */
const bridgeId = bytes

/** IFLA_BR_* that can be set. Times in hundredths of a second (USER_HZ). */
const bridgeSettings = {
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  stp: [5, onOff32],
  priority: [6, u16],
  vlanFiltering: [7, onOff],
  vlanProtocol: [8, be16],
  groupFwdMask: [9, u16],
  multicastRouter: [22, u8],
  multicastSnooping: [23, onOff],
  multicastQueryUseIfAddress: [24, onOff],
  multicastQuerier: [25, onOff],
  multicastHashElasticity: [26, u32],
  multicastHashMax: [27, u32],
  multicastLastMemberCount: [28, u32],
  multicastStartupQueryCount: [29, u32],
  multicastLastMemberInterval: [30, count],
  multicastMembershipInterval: [31, count],
  multicastQuerierInterval: [32, count],
  multicastQueryInterval: [33, count],
  multicastQueryResponseInterval: [34, count],
  multicastStartupQueryInterval: [35, count],
  nfCallIptables: [36, onOff],
  nfCallIp6tables: [37, onOff],
  nfCallArptables: [38, onOff],
  vlanDefaultPvid: [39, u16],
  vlanStatistics: [41, onOff],
  multicastStatistics: [42, onOff],
  multicastIgmpVersion: [43, u8],
  multicastMldVersion: [44, u8],
  vlanStatisticsPerPort: [45, onOff],
  /** BR_BOOLOPT_*: bits, and the mask of those to change. */
  options: [46, struct({ value: u32, mask: u32 })],
  fdbMaxLearned: [49, u32],
} as const

/** IFLA_BR_* that the kernel reports. Timers in hundredths of a second. */
const bridgeState = {
  rootId: [10, bridgeId],
  bridgeId: [11, bridgeId],
  rootPort: [12, u16],
  rootPathCost: [13, u32],
  topologyChange: [14, onOff],
  topologyChangeDetected: [15, onOff],
  helloTimer: [16, count],
  tcnTimer: [17, count],
  topologyChangeTimer: [18, count],
  gcTimer: [19, count],
  groupAddress: [20, bytes],
  fdbFlush: [21, flag],
  fdbLearned: [48, u32],
} as const

/** IFLA_BR_*. */
export const bridgeAttributes = attributes({ ...bridgeSettings, ...bridgeState })
export type BridgeAttributes = ValueOf<typeof bridgeAttributes>
export type BridgeSettingNames = keyof typeof bridgeSettings
export const bridgeSettingNames = Object.keys(bridgeSettings) as BridgeSettingNames[]
export const bridgeStateNames = Object.keys(bridgeState) as (keyof typeof bridgeState)[]

/** IFLA_BRPORT_* that can be set. */
const portSettings = {
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
  /** Index of the port that takes over when this one has no carrier. */
  backupPort: [34, u32],
  multicastEhtHostsLimit: [37, u32],
  locked: [39, onOff],
  macAuthBypass: [40, onOff],
  multicastMaxGroups: [42, u32],
  neighbourVlanSuppress: [43, onOff],
  backupNextHopId: [44, u32],
} as const

/** IFLA_BRPORT_* that the kernel reports. Timers in hundredths of a second. */
const portState = {
  rootId: [13, bridgeId],
  bridgeId: [14, bridgeId],
  designatedPort: [15, u16],
  designatedCost: [16, u16],
  id: [17, u16],
  number: [18, u16],
  topologyChangeAck: [19, onOff],
  configPending: [20, onOff],
  messageAgeTimer: [21, count],
  forwardDelayTimer: [22, count],
  holdTimer: [23, count],
  mrpRingOpen: [35, onOff],
  mrpInOpen: [36, onOff],
  multicastEhtHosts: [38, u32],
  multicastGroups: [41, u32],
} as const

/** IFLA_BRPORT_*. */
export const portAttributes = attributes({ ...portSettings, ...portState })
export type PortAttributes = ValueOf<typeof portAttributes>
export type PortSettingNames = keyof typeof portSettings
export const portSettingNames = Object.keys(portSettings) as PortSettingNames[]
export const portStateNames = Object.keys(portState) as (keyof typeof portState)[]
