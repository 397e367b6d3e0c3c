import { readSync } from 'node:fs'
import { isSystemError, type Port, type PortReceiver } from '../../base/index.ts'
import { binding } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt } from '../errors.ts'
import { type NetNamespace, namespaceFd } from '../namespaces/namespace.ts'
import { resizeBuffer } from './buffer-size.ts'
import { FdWatch } from './poll.ts'

export interface PacketPlace {
  readonly namespace?: NetNamespace | undefined
  /** The interface. */
  readonly index: number
}

const receiveBuffer = 8 << 20
/** Longer than any frame: segmentation offload makes some of 64 KiB and its headers. */
const longestFrame = 128 << 10
const mostPerTurn = 256

/** Opens a socket that receives a copy of every frame of an interface, in both directions (packet(7)). */
export function openPackets({ namespace, index }: PacketPlace): PacketPort {
  return attempt('open packet socket', `interface ${index}`, () => {
    // Without a protocol it receives nothing until it is bound to the interface.
    const fd = binding().socketIn(namespaceFd(namespace), kernel.AF_PACKET, kernel.SOCK_RAW, 0)
    try {
      resizeBuffer(fd, 'receive', receiveBuffer)
      binding().bindAddress(fd, linkAddress(index))
      return new PacketPort(fd)
    } catch (failure) {
      closeFd(fd)
      throw failure
    }
  })
}

/** struct sockaddr_ll (linux/if_packet.h): family, protocol in network order, interface. */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  new Uint16Array(bytes.buffer, 0, 1)[0] = kernel.AF_PACKET
  new DataView(bytes.buffer).setUint16(2, kernel.ETH_P_ALL)
  new Uint32Array(bytes.buffer, 4, 1)[0] = index
  return bytes
}

/** Frames of one interface, one for each `data` call. Its end is that of the interface. */
export class PacketPort implements Port {
  readonly #watch: FdWatch
  readonly #buffer = new Uint8Array(longestFrame)
  #receiver: PortReceiver | undefined
  #failure: Error | undefined

  /** Takes over the fd of a bound packet socket. */
  constructor(fd: number) {
    this.#watch = new FdWatch(fd, { readable: () => this.#drain() })
  }

  receive(receiver: PortReceiver): void {
    this.#receiver = receiver
    this.#watch.reading(true)
  }

  /** Frames are only received. */
  send(): void {}

  /** What has arrived is received before it closes. */
  close(): Promise<void> {
    if (!this.#watch.closed && this.#receiver) this.#drain()
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #drain(): void {
    for (let turn = 0; turn < mostPerTurn && !this.#watch.closed; turn++) {
      const length = this.#take()
      if (length === undefined) return
      this.#receiver?.data(this.#buffer.slice(0, Math.min(length, longestFrame)))
    }
  }

  /** The failure of an interface that goes comes before the frames that have arrived: those are read first. */
  #take(): number | undefined {
    for (;;) {
      try {
        // read(2): these sockets refuse the flag MSG_CMSG_CLOEXEC of `receive` (packet_recvmsg, net/packet/af_packet.c).
        return readSync(this.#watch.fd, this.#buffer)
      } catch (thrown) {
        const isFirst = this.#failure === undefined && !isSystemError(thrown, 'EAGAIN')
        if (isFirst) this.#failure = thrown as Error
        else if (this.#failure) this.#end(this.#failure)
        if (!isFirst) return undefined
      }
    }
  }

  #end(failure: Error): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#watch.reading(false)
    receiver?.end(failure)
  }
}
