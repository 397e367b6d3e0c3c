import { addressText } from '../base/index.ts'
import * as wire from './wire.ts'

/** TCP_* of linux/tcp_states.h, in the kernel's order from 1 on. Other protocols use some of them. */
export const states = [
  'established',
  'synSent',
  'synReceived',
  'finWait1',
  'finWait2',
  'timeWait',
  'closed',
  'closeWait',
  'lastAck',
  'listen',
  'closing',
  'newSynReceived',
] as const
export type SocketState = (typeof states)[number]

/** The bits of states for a request. All, if none is named. */
export function stateBits(wanted: readonly SocketState[] | undefined): number {
  if (wanted === undefined) return 0xffffffff
  return wanted.reduce((bits, state) => bits | (1 << (states.indexOf(state) + 1)), 0)
}

const stateOf = (number: number): SocketState => states[number - 1] ?? 'closed'

/** One end of a connection. `0.0.0.0` or `::` and port 0: any. */
export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** A TCP or UDP socket of a program, or a connection that its program has closed. */
export interface InetSocket {
  readonly protocol: 'tcp' | 'udp'
  readonly family: 4 | 6
  readonly state: SocketState
  readonly local: SocketAddress
  readonly remote: SocketAddress
  /** Index of the interface that it is bound to. */
  readonly link?: number
  /** Bytes that wait to be read and to be acknowledged; of a listener, connections that wait, and the most that may. */
  readonly receiveQueue: number
  readonly sendQueue: number
  readonly user: number
  /** Of `/proc/<pid>/fd`: `socket:[<inode>]`. 0 without a program. */
  readonly inode: number
  /** The socket's identity, for {@link Sockets.destroy}. */
  readonly cookie: string
  readonly onlyIpv6?: boolean
  readonly mark?: number
  readonly congestionControl?: string
  /** Microseconds: the round-trip time and its variance, the retransmission timeout. */
  readonly rtt?: number
  readonly rttVar?: number
  readonly rto?: number
  /** Bytes in a segment, segments on the way, segments sent again. */
  readonly mss?: number
  readonly pathMtu?: number
  readonly congestionWindow?: number
  readonly unacked?: number
  readonly retransmits?: number
  /** Datagrams dropped because the receive buffer was full. */
  readonly drops?: number
}

const types = { 1: 'stream', 2: 'datagram', 5: 'sequentialPacket' } as const

export interface UnixSocket {
  readonly type: 'stream' | 'datagram' | 'sequentialPacket' | 'other'
  readonly state: SocketState
  /** Its path; with `@` first, its name in the abstract namespace. */
  readonly name?: string
  readonly inode: number
  /** Inode of the socket at the other end. */
  readonly peer?: number
  readonly receiveQueue: number
  readonly sendQueue: number
  readonly user?: number
}

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

export function inetSocketOf(message: wire.InetMessage, protocol: 'tcp' | 'udp'): InetSocket {
  const { id, attributes, family } = message
  const length = family === wire.AF_INET ? 4 : 16
  const { tcp, memory, mark, onlyIpv6 } = attributes
  const end = (address: Uint8Array, port: number) => ({
    address: addressText(address.subarray(0, length)),
    port,
  })
  return {
    protocol,
    family: family === wire.AF_INET ? 4 : 6,
    state: stateOf(message.state),
    local: end(id.source, id.sourcePort),
    remote: end(id.destination, id.destinationPort),
    ...{ receiveQueue: message.receiveQueue, sendQueue: message.sendQueue },
    ...{ user: message.user, inode: message.inode, cookie: `${id.cookie}` },
    ...given({
      link: id.link || undefined,
      onlyIpv6: onlyIpv6 === undefined ? undefined : onlyIpv6 !== 0,
      mark,
      congestionControl: attributes.congestionControl,
      drops: memory?.drops,
    }),
    ...(tcp && tcpOf(tcp)),
  }
}

function tcpOf({
  rtt,
  rttVar,
  rto,
  sendMss,
  pathMtu,
  congestionWindow,
  unacked,
  totalRetransmits,
}: wire.TcpInfo) {
  return { rtt, rttVar, rto, mss: sendMss, pathMtu, congestionWindow, unacked, retransmits: totalRetransmits }
}

export function unixSocketOf({ type, state, inode, attributes }: wire.UnixMessage): UnixSocket {
  const { name, peer, queues, user } = attributes
  return {
    type: types[type as keyof typeof types] ?? 'other',
    state: stateOf(state),
    inode,
    receiveQueue: queues?.receive ?? 0,
    sendQueue: queues?.send ?? 0,
    ...given({ name: name && nameOf(name), peer, user }),
  }
}

/** Each NUL of a name in the abstract namespace becomes `@`, as `ss` has it. */
function nameOf(name: Uint8Array): string {
  const text = Buffer.from(name).toString()
  return name[0] === 0 ? text.replaceAll('\0', '@') : text.replace(/\0.*$/s, '')
}
