import { bytes, type Codec, i32, struct, text, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import {
  type AttributeCodec,
  attributes,
  type Body,
  bareText,
  growing,
  message,
  nested,
  repeated,
  when,
} from '../../netlink/index.ts'
import { bridgeAttributes, portAttributes } from './bridge.ts'
import * as kinds from './link-kinds.ts'
import { linkStatistics } from './statistics.ts'
import * as tunnels from './tunnels.ts'

/** struct bridge_vlan_info. */
const vlanInfo = struct({ flags: u16, vlan: u16 })
export type VlanInfo = ValueOf<typeof vlanInfo>

/** IFLA_BRIDGE_*, IFLA_AF_SPEC of AF_BRIDGE messages. */
const bridgeSpec = attributes({ flags: [0, u16], mode: [1, u16], vlans: [2, repeated(vlanInfo)] })

/** struct ifinfomsg. */
const ifinfomsg = { family: u8, pad: u8, hardware: u16, index: i32, flags: u32, change: u32 }

/** IFLA_AF_SPEC of AF_UNSPEC messages: the settings of address families. IPv4 has only counters there. */
const families = attributes({
  ipv4: [2, bytes],
  ipv6: [10, attributes({ addrGenMode: [8, u8] })],
})

/** IFLA_INFO_*. The kind decides how `data` and `slaveData` after it are read. */
const linkInfo = attributes({
  kind: [1, bareText],
  bridge: [2, when('kind', 'bridge', bridgeAttributes)],
  veth: [2, when('kind', 'veth', attributes({ peer: [1, later(() => linkMessage)] }))],
  vxlan: [2, when('kind', 'vxlan', kinds.vxlanAttributes)],
  macvlan: [2, when('kind', 'macvlan', kinds.macvlanAttributes)],
  macvtap: [2, when('kind', 'macvtap', kinds.macvlanAttributes)],
  ipvlan: [2, when('kind', 'ipvlan', kinds.ipvlanAttributes)],
  vlan: [2, when('kind', 'vlan', kinds.vlanAttributes)],
  vrf: [2, when('kind', 'vrf', kinds.vrfAttributes)],
  bond: [2, when('kind', 'bond', kinds.bondAttributes)],
  tun: [2, when('kind', 'tun', kinds.tunAttributes)],
  geneve: [2, when('kind', 'geneve', tunnels.geneveAttributes)],
  gre: [2, when('kind', 'gre', tunnels.greAttributes)],
  gretap: [2, when('kind', 'gretap', tunnels.greAttributes)],
  ip6gre: [2, when('kind', 'ip6gre', tunnels.greAttributes)],
  ip6gretap: [2, when('kind', 'ip6gretap', tunnels.greAttributes)],
  ipip: [2, when('kind', 'ipip', tunnels.sitAttributes)],
  sit: [2, when('kind', 'sit', tunnels.sitAttributes)],
  ip6tnl: [2, when('kind', 'ip6tnl', tunnels.ip6TunnelAttributes)],
  vti: [2, when('kind', 'vti', tunnels.vtiAttributes)],
  vti6: [2, when('kind', 'vti6', tunnels.vtiAttributes)],
  data: [2, bytes],
  slaveKind: [4, bareText],
  port: [5, when('slaveKind', 'bridge', portAttributes)],
  slaveData: [5, bytes],
})

/** IFLA_*. Attributes that this library does not use stay in `unknown`. */
export const linkAttributes = attributes({
  mac: [1, bytes],
  broadcast: [2, bytes],
  name: [3, text],
  mtu: [4, u32],
  link: [5, i32],
  qdisc: [6, text],
  master: [10, u32],
  txQueueLength: [13, u32],
  operState: [16, u8],
  linkMode: [17, u8],
  linkInfo: [18, linkInfo],
  alias: [20, text],
  statistics: [23, growing(linkStatistics)],
  families: [26, families],
  group: [27, u32],
  namespaceFd: [28, u32],
  extMask: [29, u32],
  promiscuity: [30, u32],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  carrier: [33, u8],
  physicalPortId: [34, bytes],
  carrierChanges: [35, u32],
  physicalSwitchId: [36, bytes],
  linkNamespaceId: [37, i32],
  physicalPortName: [38, text],
  protoDown: [39, u8],
  gsoMaxSegments: [40, u32],
  gsoMaxSize: [41, u32],
  carrierUps: [47, u32],
  carrierDowns: [48, u32],
  altName: [53, text],
  propertyList: [52, nested(attributes({ altNames: [53, repeated(text)] }))],
  newIndex: [49, u32],
  minMtu: [50, u32],
  maxMtu: [51, u32],
  permanentMac: [54, bytes],
  parentDevice: [56, text],
  parentBus: [57, text],
  groMaxSize: [58, u32],
  tsoMaxSize: [59, u32],
  tsoMaxSegments: [60, u32],
  allMulticast: [61, u32],
  gsoIpv4MaxSize: [63, u32],
  groIpv4MaxSize: [64, u32],
})
export type LinkAttributes = ValueOf<typeof linkAttributes>

/** struct ifinfomsg and IFLA_*: RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINKPROP, RTM_DELLINKPROP. */
export const linkMessage: Body<LinkMessage, LinkToWrite> = message(ifinfomsg, linkAttributes)
export type LinkMessage = Required<LinkHeader> & { attributes: LinkAttributes }
export type LinkToWrite = LinkHeader & { attributes?: LinkAttributes }
type LinkHeader = { [K in keyof typeof ifinfomsg]?: number }

/** The same header with AF_BRIDGE, and IFLA_PROTINFO: a bridge's port, RTM_SETLINK. */
export const portMessage = message(
  ifinfomsg,
  attributes({ port: [12, nested(portAttributes)], bridge: [26, bridgeSpec], extMask: [29, u32] }),
)
export type PortMessage = ReturnType<typeof portMessage.read>

/** VETH_INFO_PEER is a whole message inside an attribute, so the table refers to itself. */
function later(body: () => Body<LinkMessage, LinkToWrite>): AttributeCodec<LinkToWrite> {
  return {
    write: (out, value) => body().write(out, value),
    read: from => body().read(from),
    locate: (from, offset) => body().locate?.(from, offset),
  } satisfies Codec<LinkToWrite> & AttributeCodec<LinkToWrite>
}
