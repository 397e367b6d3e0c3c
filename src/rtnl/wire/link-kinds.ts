import { be16, be32, bytes, flag, i32, struct, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes, list } from '../../netlink/index.ts'
import { onOff } from './bridge.ts'

/** IFLA_VXLAN_*. `ageingTime` in seconds. */
export const vxlanAttributes = attributes({
  vni: [1, u32],
  group: [2, bytes],
  link: [3, u32],
  local: [4, bytes],
  ttl: [5, u8],
  tos: [6, u8],
  learning: [7, onOff],
  ageingTime: [8, u32],
  limit: [9, u32],
  sourcePorts: [10, struct({ first: be16, last: be16 })],
  proxy: [11, onOff],
  routeShortCircuit: [12, onOff],
  l2Miss: [13, onOff],
  l3Miss: [14, onOff],
  port: [15, be16],
  group6: [16, bytes],
  local6: [17, bytes],
  udpChecksum: [18, onOff],
  udpZeroChecksum6Tx: [19, onOff],
  udpZeroChecksum6Rx: [20, onOff],
  groupPolicy: [23, flag],
  external: [25, onOff],
  label: [26, be32],
  genericProtocol: [27, flag],
  ttlInherit: [28, flag],
  dontFragment: [29, u8],
  vniFilter: [30, onOff],
  localBypass: [31, onOff],
})
export type VxlanAttributes = ValueOf<typeof vxlanAttributes>

/** IFLA_MACVLAN_*, for macvlan and macvtap. */
export const macvlanAttributes = attributes({
  mode: [1, u32],
  flags: [2, u16],
  macMode: [3, u32],
  mac: [4, bytes],
  macs: [5, list(bytes, 4)],
  macCount: [6, u32],
  queueLength: [7, u32],
  queueLengthUsed: [8, u32],
  broadcastCutoff: [9, i32],
})
/** IFLA_IPVLAN_*. */
export const ipvlanAttributes = attributes({ mode: [1, u16], flags: [2, u16] })
/** IFLA_VLAN_*. */
export const vlanAttributes = attributes({
  id: [1, u16],
  flags: [2, struct({ flags: u32, mask: u32 })],
  protocol: [5, be16],
})
/** IFLA_VRF_*. */
export const vrfAttributes = attributes({ table: [1, u32] })

/** IFLA_BOND_AD_INFO_*. */
const adInfo = attributes({
  aggregator: [1, u16],
  ports: [2, u16],
  actorKey: [3, u16],
  partnerKey: [4, u16],
  partnerMac: [5, bytes],
})

/** IFLA_BOND_*. Times in milliseconds. Addresses are numbered from 0. */
export const bondAttributes = attributes({
  mode: [1, u8],
  activeSlave: [2, u32],
  miimon: [3, u32],
  upDelay: [4, u32],
  downDelay: [5, u32],
  useCarrier: [6, u8],
  arpInterval: [7, u32],
  arpTargets: [8, list(bytes, from => from)],
  arpValidate: [9, u32],
  arpAllTargets: [10, u32],
  primary: [11, u32],
  primaryReselect: [12, u8],
  failOverMac: [13, u8],
  transmitHashPolicy: [14, u8],
  resendIgmp: [15, u32],
  peerNotifications: [16, u8],
  allSlavesActive: [17, u8],
  minLinks: [18, u32],
  learningInterval: [19, u32],
  packetsPerSlave: [20, u32],
  lacpRate: [21, u8],
  adSelect: [22, u8],
  adInfo: [23, adInfo],
  adActorSystemPriority: [24, u16],
  adUserPortKey: [25, u16],
  adActorSystem: [26, bytes],
  tlbDynamicLb: [27, u8],
  peerNotifyDelay: [28, u32],
  lacpActive: [29, u8],
  missedMax: [30, u8],
  nsTargets: [31, list(bytes, from => from)],
})
export type BondAttributes = ValueOf<typeof bondAttributes>

/** IFLA_TUN_*: what `/dev/net/tun` made. `type`: 1 tun, 2 tap. */
export const tunAttributes = attributes({
  owner: [1, u32],
  group: [2, u32],
  type: [3, u8],
  packetInfo: [4, onOff],
  vnetHeader: [5, onOff],
  persistent: [6, onOff],
  multiQueue: [7, onOff],
  queues: [8, u32],
  disabledQueues: [9, u32],
})
