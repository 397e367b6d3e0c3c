import type { Port, PortReceiver } from '../../base/index.ts'
import { binding, type Received } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, closed, isSyscallFailure, refused, SysError } from '../errors.ts'
import { type NetNamespace, namespaceFd } from '../namespaces/namespace.ts'
import { resizeBuffer } from './buffer-size.ts'
import { FdWatch } from './poll.ts'

/** Takes what a netlink socket receives. It may keep the datagrams. */
export interface NetlinkReceiver extends PortReceiver {
  /**
   * Called when datagrams were lost: the socket's buffer was full (ENOBUFS), or a datagram was larger than
   * the receive buffer (which has grown since). The lost state must be requested again. A receiver without
   * this method is ended instead.
   */
  overrun?(): void
}

export interface NetlinkOptions {
  readonly namespace?: NetNamespace
  /** Multicast groups to join, by number (`RTNLGRP_LINK` is 1). */
  readonly groups?: readonly number[]
  /** SO_RCVBUF in bytes, in place of the default 4 MiB. */
  readonly receiveBuffer?: number
}

/** Room for the replies to a large batch: 256 acks fill the kernel's default of 208 KiB. */
const socketBuffer = 4 << 20
/** More than the kernel puts into one datagram of a dump (32 KiB, net/netlink/af_netlink.c). */
const firstBuffer = 64 << 10
/** The most datagrams read in one turn of the event loop, so that a flood does not starve everything else. */
const mostPerTurn = 256

/** Opens a netlink socket to the kernel in one namespace, with strict checking and extended acks. */
export function openNetlink(
  protocol: keyof typeof kernel.netlinkProtocols | number,
  options?: NetlinkOptions,
): NetlinkPort {
  const { namespace, groups = [], receiveBuffer = socketBuffer } = options ?? {}
  return attempt('open netlink socket', `${protocol}`, () => {
    const number = typeof protocol === 'number' ? protocol : kernel.netlinkProtocols[protocol]
    const fd = binding().socketIn(namespaceFd(namespace), kernel.AF_NETLINK, kernel.SOCK_RAW, number)
    try {
      resizeBuffer(fd, 'receive', receiveBuffer)
      setUp(fd, groups)
      return new NetlinkPort(fd)
    } catch (failure) {
      closeFd(fd)
      throw failure
    }
  })
}

function setUp(fd: number, groups: readonly number[]): void {
  const { bindNetlink, setOption } = binding()
  resizeBuffer(fd, 'send', socketBuffer)
  setOption(fd, kernel.SOL_NETLINK, kernel.NETLINK_EXT_ACK, 1)
  // An error then repeats only the header of its request. The extended ack follows either way.
  setOption(fd, kernel.SOL_NETLINK, kernel.NETLINK_CAP_ACK, 1)
  setOption(fd, kernel.SOL_NETLINK, kernel.NETLINK_GET_STRICT_CHK, 1)
  bindNetlink(fd)
  for (const group of groups) setOption(fd, kernel.SOL_NETLINK, kernel.NETLINK_ADD_MEMBERSHIP, group)
}

/** A netlink socket. It passes each datagram in one `data` call, and only those from the kernel. */
export class NetlinkPort implements Port {
  readonly #watch: FdWatch
  #buffer: Uint8Array
  #receiver: NetlinkReceiver | undefined

  /** Takes over the fd of a bound netlink socket. `capacity` is the size of the first receive buffer in bytes. */
  constructor(fd: number, capacity = firstBuffer) {
    this.#buffer = new Uint8Array(capacity)
    this.#watch = new FdWatch(fd, { readable: () => this.#drain() })
  }

  receive(receiver: NetlinkReceiver): void {
    if (this.#watch.closed) throw closed('netlink socket')
    this.#receiver = receiver
    this.#watch.reading(true)
  }

  /**
   * When sendmsg(2) returns, the kernel has carried out the request and answered it. The receiver gets the answers
   * before this returns, which spares a turn of the event loop.
   */
  send(bytes: Uint8Array): void {
    if (this.#watch.closed) throw closed('netlink socket')
    const sent = attempt('send', 'netlink request', () => binding().send(this.#watch.fd, bytes))
    if (sent === undefined)
      throw new SysError({
        code: 'NETLINK_BUSY',
        op: 'send',
        target: 'netlink request',
        reason: 'no buffer space',
      })
    if (this.#receiver) this.#drain()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #drain(): void {
    for (let turn = 0; turn < mostPerTurn && !this.#watch.closed; turn++) {
      const received = this.#take()
      if (!received) return
      // Any process can send to this socket's port id. Only datagrams from the kernel (port id 0) are
      // accepted.
      if (received.sender !== 0) continue
      if (received.truncated) {
        this.#buffer = new Uint8Array(2 ** Math.ceil(Math.log2(received.length + 1)))
        this.#overrun(`a datagram of ${received.length} bytes did not fit into the receive buffer`)
      } else this.#receiver?.data(this.#buffer.slice(0, received.length))
    }
  }

  /** Undefined when nothing is left to read, or nothing more can come. */
  #take(): Received | undefined {
    try {
      return binding().receive(this.#watch.fd, this.#buffer, kernel.MSG_CMSG_CLOEXEC)
    } catch (thrown) {
      if (!isSyscallFailure(thrown)) throw thrown
      const failure = refused('receive', 'netlink answer', thrown)
      // The kernel reports the loss once. What arrived before it can still be read.
      if (failure.errnoName === 'ENOBUFS') this.#overrun('the receive buffer was full')
      else this.#fail(failure)
      return undefined
    }
  }

  #overrun(reason: string): void {
    if (this.#receiver?.overrun) this.#receiver.overrun()
    else
      this.#fail(new SysError({ code: 'NETLINK_OVERRUN', op: 'receive', target: 'netlink messages', reason }))
  }

  #fail(failure: SysError): void {
    this.#watch.reading(false)
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.end(failure)
  }
}
