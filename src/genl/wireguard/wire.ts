import { bytes, type Codec, struct, text, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes, list, nested } from '../../netlink/index.ts'

/** linux/wireguard.h, with the kernel's names. */
export const WG_CMD_GET_DEVICE = 0
export const WG_CMD_SET_DEVICE = 1
export const WGDEVICE_F_REPLACE_PEERS = 1
export const WGPEER_F_REMOVE_ME = 1
export const WGPEER_F_REPLACE_ALLOWEDIPS = 2
export const WGPEER_F_UPDATE_ONLY = 4

/** 64 bits as a number, exact up to 2^53. */
const count: Codec<number> = {
  write: (out, value) => out.u64(BigInt(value)),
  read: from => Number(from.u64()),
}

/** WGALLOWEDIP_A_*. */
const allowed = attributes({ family: [1, u16], address: [2, bytes], prefix: [3, u8] })

/** WGPEER_A_*. `lastHandshake` is a struct __kernel_timespec. */
const peer = attributes({
  publicKey: [1, bytes],
  presharedKey: [2, bytes],
  flags: [3, u32],
  endpoint: [4, bytes],
  keepalive: [5, u16],
  lastHandshake: [6, struct({ seconds: count, nanoseconds: count })],
  received: [7, count],
  sent: [8, count],
  allowed: [9, nested(list(nested(allowed), 0))],
  protocolVersion: [10, u32],
})
export type PeerAttributes = ValueOf<typeof peer>

/** WGDEVICE_A_*. */
export const deviceAttributes = attributes({
  index: [1, u32],
  name: [2, text],
  privateKey: [3, bytes],
  publicKey: [4, bytes],
  flags: [5, u32],
  port: [6, u16],
  mark: [7, u32],
  peers: [8, nested(list(nested(peer), 0))],
})
export type DeviceAttributes = ValueOf<typeof deviceAttributes>
