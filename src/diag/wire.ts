import {
  be16,
  bytes,
  type Codec,
  type Reader,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
} from '../base/index.ts'
import { type AttributeCodec, attributes, type Body, growing } from '../netlink/index.ts'

/** linux/sock_diag.h, inet_diag.h, unix_diag.h, with the kernel's names. */
export const SOCK_DIAG_BY_FAMILY = 20
export const SOCK_DESTROY = 21

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17

/** idiag_ext: a bit for each INET_DIAG_*, less one. MEMINFO, INFO, CONG, TOS, TCLASS, SKMEMINFO. */
export const allExtensions = 0b1111011
/** udiag_show: name, inode of the file, peer, queues, user. */
export const UDIAG_SHOW = 0x01 | 0x02 | 0x04 | 0x10 | 0x40

const sixteen: Codec<Uint8Array> = {
  write: (out, value) => {
    out.put(value.subarray(0, 16))
    out.put(new Uint8Array(16 - Math.min(16, value.length)))
  },
  read: from => from.take(16, 'address'),
}

/** struct inet_diag_sockid. */
const socketId = struct({
  sourcePort: be16,
  destinationPort: be16,
  source: sixteen,
  destination: sixteen,
  link: u32,
  cookie: u64,
})
export type SocketId = ValueOf<typeof socketId>

/** struct inet_diag_req_v2. */
export const inetRequest: Pick<Body<unknown, InetRequest>, 'write'> = struct({
  ...{ family: u8, protocol: u8, extensions: u8, pad: u8, states: u32 },
  id: socketId,
})
export interface InetRequest {
  family: number
  protocol: number
  extensions: number
  pad: number
  states: number
  id: SocketId
}

/** The start of struct tcp_info (linux/tcp.h): times in microseconds. */
const tcpInfo = struct({
  ...{
    state: u8,
    congestionState: u8,
    retransmits: u8,
    probes: u8,
    backoff: u8,
    options: u8,
    scale: u8,
    limited: u8,
  },
  ...{
    rto: u32,
    ato: u32,
    sendMss: u32,
    receiveMss: u32,
    unacked: u32,
    sacked: u32,
    lost: u32,
    retransmitted: u32,
  },
  ...{ facked: u32, lastDataSent: u32, lastAckSent: u32, lastDataReceived: u32, lastAckReceived: u32 },
  ...{ pathMtu: u32, receiveSsthresh: u32, rtt: u32, rttVar: u32, sendSsthresh: u32, congestionWindow: u32 },
  ...{ advertisedMss: u32, reordering: u32, receiveRtt: u32, receiveSpace: u32, totalRetransmits: u32 },
})
export type TcpInfo = ValueOf<typeof tcpInfo>

/** SK_MEMINFO_*. */
const memory = struct({
  ...{ received: u32, receiveBuffer: u32, sent: u32, sendBuffer: u32, forward: u32, queuedForSending: u32 },
  ...{ options: u32, backlog: u32, drops: u32 },
})

/** INET_DIAG_*. */
const inetAttributes = attributes({
  tcp: [2, growing(tcpInfo)],
  congestionControl: [4, text],
  tos: [5, u8],
  trafficClass: [6, u8],
  memory: [7, growing(memory)],
  shutdown: [8, u8],
  protocol: [10, u8],
  onlyIpv6: [11, u8],
  mark: [15, u32],
  cgroup: [21, u64],
})

const inetHeader = struct({
  ...{ family: u8, state: u8, timer: u8, retransmits: u8 },
  id: socketId,
  ...{ expires: u32, receiveQueue: u32, sendQueue: u32, user: u32, inode: u32 },
})

/** struct inet_diag_msg and INET_DIAG_*. */
export const inetMessage = after(inetHeader, inetAttributes)

/** struct unix_diag_req. */
export const unixRequest: Pick<Body<unknown, UnixRequest>, 'write'> = struct({
  ...{ family: u8, protocol: u8, pad: u16, states: u32, inode: u32, show: u32, cookie: u64 },
})
export interface UnixRequest {
  family: number
  protocol: number
  pad: number
  states: number
  inode: number
  show: number
  cookie: bigint
}

/** UNIX_DIAG_*. A name that starts with NUL is of the abstract namespace. */
const unixAttributes = attributes({
  name: [0, bytes],
  file: [1, struct({ inode: u32, device: u32 })],
  peer: [2, u32],
  queues: [4, struct({ receive: u32, send: u32 })],
  shutdown: [6, u8],
  user: [7, u32],
})

const unixHeader = struct({ family: u8, type: u8, state: u8, pad: u8, inode: u32, cookie: u64 })

/** struct unix_diag_msg and UNIX_DIAG_*. */
export const unixMessage = after(unixHeader, unixAttributes)

/** A struct and the attributes after it. */
function after<H, A>(header: Codec<H>, codec: AttributeCodec<A>) {
  return { read: (from: Reader) => ({ ...header.read(from), attributes: codec.read(from) }) }
}
export type InetMessage = ReturnType<typeof inetMessage.read>
export type UnixMessage = ReturnType<typeof unixMessage.read>
