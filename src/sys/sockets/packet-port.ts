import { binding, type Received } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt } from '../errors.ts'
import { type NetNamespace, namespaceFd } from '../namespaces/namespace.ts'
import { bufferSize, resizeBuffer } from './buffer-size.ts'
import { FdWatch } from './poll.ts'

export interface PacketPlace {
  readonly namespace?: NetNamespace | undefined
  /** The interface. */
  readonly index: number
}

/** Takes the frames of an interface. */
export interface PacketReceiver {
  /** Where the next frame is received; the rest of a longer one is cut off. Default: all receive into the same memory. */
  room?(): Uint8Array
  /**
   * It calls `drain` from time to time as long as frames come. They gather meanwhile, because each wake-up costs more than
   * a frame. Default: false, each frame is received at once.
   */
  readonly drains?: boolean
  /**
   * A frame, with the time at which the kernel saw it, in milliseconds since 1970, and its length, which is more than that of
   * the bytes when there was no room for it. Keep a copy of the bytes.
   */
  frame(bytes: Uint8Array, at: number, length: number): void
  /** The interface has gone. Called once; nothing follows. */
  end(failure: Error): void
}

const receiveBuffer = 32 << 20
/** Longer than any frame: segmentation offload makes some of 64 KiB and its headers. */
const longestFrame = 128 << 10
/** Frames gather only where they have room. */
const leastToGather = 16 << 20
const mostPerTurn = 256
/** After both addresses (IEEE 802.1Q). */
const tagAt = 12
const tagLength = 4
/** What a full buffer can hold is received before a port closes; what arrives meanwhile need not be. */
const lastTurns = 1024

/** One frame after another is received into it: new memory for each costs more than a copy, in collecting it. */
const buffer = new Uint8Array(longestFrame)

/** Opens a socket that receives a copy of every frame of an interface, in both directions (packet(7)). */
export function openPackets({ namespace, index }: PacketPlace, receiver: PacketReceiver): PacketPort {
  return attempt('open packet socket', `interface ${index}`, () => {
    // Without a protocol it receives nothing until it is bound to the interface.
    const fd = binding().socketIn(namespaceFd(namespace), kernel.AF_PACKET, kernel.SOCK_RAW, 0)
    try {
      resizeBuffer(fd, 'receive', receiveBuffer)
      binding().setOption(fd, kernel.SOL_SOCKET, kernel.SO_TIMESTAMPNS, 1)
      binding().setOption(fd, kernel.SOL_PACKET, kernel.PACKET_AUXDATA, 1)
      binding().bindAddress(fd, linkAddress(index))
      const gathers = receiver.drains === true && bufferSize(fd, 'receive') >= leastToGather
      return new PacketPort(fd, receiver, { gathers })
    } catch (failure) {
      closeFd(fd)
      throw failure
    }
  })
}

/** Puts back the VLAN tag that the kernel has taken out of a frame (skb_vlan_untag, net/core/skbuff.c). Returns its length. */
function withTag(frame: Uint8Array, { length, vlan }: Received): number {
  if (vlan === undefined) return length
  frame.copyWithin(tagAt + tagLength, tagAt, length)
  const tag = [vlan >>> 24, (vlan >>> 16) & 0xff, (vlan >>> 8) & 0xff, vlan & 0xff]
  for (const [index, byte] of tag.entries()) if (tagAt + index < frame.length) frame[tagAt + index] = byte
  return length + tagLength
}

/** struct sockaddr_ll (linux/if_packet.h): family, protocol in network order, interface. */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  new Uint16Array(bytes.buffer, 0, 1)[0] = kernel.AF_PACKET
  new DataView(bytes.buffer).setUint16(2, kernel.ETH_P_ALL)
  new Uint32Array(bytes.buffer, 4, 1)[0] = index
  return bytes
}

/** Receives the frames of one interface until that goes. */
export class PacketPort implements AsyncDisposable {
  readonly #watch: FdWatch
  /** While frames come, the socket is not watched. */
  #gathers: boolean
  #receiver: PacketReceiver | undefined
  #failure: Error | undefined
  #dropped = 0

  /** Takes over the fd of a bound packet socket. */
  constructor(fd: number, receiver: PacketReceiver, { gathers = false } = {}) {
    this.#receiver = receiver
    this.#gathers = gathers
    this.#watch = new FdWatch(fd, { readable: () => void this.drain() })
    this.#watch.reading(true)
  }

  /** Frames that came while the socket's buffer was full. The kernel's counter begins anew with each look at it. */
  get dropped(): number {
    if (!this.#watch.closed) {
      const statistics = new Uint32Array(2) // struct tpacket_stats: frames, and those dropped
      const { SOL_PACKET, PACKET_STATISTICS } = kernel
      binding().getOption(this.#watch.fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer))
      this.#dropped += statistics[1]!
    }
    return this.#dropped
  }

  /** Receives what has arrived, at most 256 frames. True when that is all. */
  drain(): boolean {
    const received = this.#receive()
    const isFlowing = received > 0 && received < mostPerTurn
    if (this.#gathers) this.#watch.reading(!isFlowing)
    return received < mostPerTurn
  }

  /** The number of frames that it received. */
  #receive(): number {
    for (let turn = 0; turn < mostPerTurn; turn++) {
      const room = this.#receiver?.room?.() ?? buffer
      const received = this.#watch.closed ? undefined : this.#take(room)
      if (received === undefined) return turn
      const { at = 0 } = received
      const length = withTag(room, received)
      this.#receiver?.frame(room.subarray(0, Math.min(length, room.length)), at / 1000, length)
    }
    return mostPerTurn
  }

  /**
   * What has arrived is received before it closes. The kernel then waits for all processors to be done with the socket
   * (`packet_release`, net/packet/af_packet.c). A thread waits these 30 ms.
   */
  close(): Promise<void> {
    if (!this.#watch.closed) {
      for (let turn = 0; turn < lastTurns && !this.drain(); turn++);
      this.dropped // a last look at the counter
      const last = binding().duplicate(this.#watch.fd)
      void this.#watch.close().then(() => binding().closeInPool(last))
    }
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The failure of an interface that goes comes before the frames that have arrived: those are read first. */
  #take(room: Uint8Array): Received | undefined {
    for (;;) {
      try {
        const received = binding().receive(this.#watch.fd, room, 0)
        if (received === undefined && this.#failure) this.#end(this.#failure)
        return received
      } catch (thrown) {
        const isFirst = this.#failure === undefined
        this.#failure ??= thrown as Error
        if (isFirst) continue
        this.#end(this.#failure)
        return undefined
      }
    }
  }

  #end(failure: Error): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#gathers = false
    this.#watch.reading(false)
    receiver?.end(failure)
  }
}
