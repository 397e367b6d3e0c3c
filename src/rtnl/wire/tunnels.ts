import { be16, be32, bytes, flag, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'
import { onOff } from './bridge.ts'

/** GRE_* of linux/if_tunnel.h. */
export const GRE_CSUM = 0x8000
export const GRE_KEY = 0x2000
export const GRE_SEQ = 0x1000

/** IFLA_GRE_* (linux/if_tunnel.h): gre, gretap, ip6gre, ip6gretap. */
export const greAttributes = attributes({
  link: [1, u32],
  inputFlags: [2, be16],
  outputFlags: [3, be16],
  inputKey: [4, be32],
  outputKey: [5, be32],
  local: [6, bytes],
  remote: [7, bytes],
  ttl: [8, u8],
  tos: [9, u8],
  pathMtuDiscovery: [10, onOff],
  encapLimit: [11, u8],
  flowInfo: [12, be32],
  flags: [13, u32],
  udpType: [14, u16],
  udpFlags: [15, u16],
  udpSourcePort: [16, be16],
  udpDestinationPort: [17, be16],
  external: [18, flag],
  ignoreDf: [19, onOff],
  mark: [20, u32],
  erspanIndex: [21, u32],
  erspanVersion: [22, u8],
  erspanDirection: [23, u8],
  erspanHardwareId: [24, u16],
})

/** IFLA_IPTUN_*: ipip, sit, ip6tnl. */
const ipTunnel = {
  link: [1, u32],
  local: [2, bytes],
  remote: [3, bytes],
  ttl: [4, u8],
  tos: [5, u8],
  encapLimit: [6, u8],
  flowInfo: [7, be32],
  protocol: [9, u8],
  pathMtuDiscovery: [10, onOff],
  udpType: [15, u16],
  udpFlags: [16, u16],
  udpSourcePort: [17, be16],
  udpDestinationPort: [18, be16],
  external: [19, flag],
  mark: [20, u32],
} as const
/** Flags of sit: 1 is ISATAP. */
export const sitAttributes = attributes({ ...ipTunnel, flags: [8, be16] })
/** Flags of ip6tnl: IP6_TNL_F_* (linux/ip6_tunnel.h). */
export const ip6TunnelAttributes = attributes({ ...ipTunnel, flags: [8, u32] })

/** IFLA_VTI_*: vti, vti6. */
export const vtiAttributes = attributes({
  link: [1, u32],
  inputKey: [2, be32],
  outputKey: [3, be32],
  local: [4, bytes],
  remote: [5, bytes],
  mark: [6, u32],
})

/** The attributes of all of them. */
export type TunnelAttributes = ValueOf<typeof greAttributes> & ValueOf<typeof ip6TunnelAttributes>

/** IFLA_GENEVE_*. */
export const geneveAttributes = attributes({
  vni: [1, u32],
  remote: [2, bytes],
  ttl: [3, u8],
  tos: [4, u8],
  port: [5, be16],
  external: [6, flag],
  remote6: [7, bytes],
  udpChecksum: [8, onOff],
  udpZeroChecksum6Tx: [9, onOff],
  udpZeroChecksum6Rx: [10, onOff],
  label: [11, be32],
  ttlInherit: [12, onOff],
  dontFragment: [13, u8],
  innerProtocolInherit: [14, flag],
})
export type GeneveAttributes = ValueOf<typeof geneveAttributes>
