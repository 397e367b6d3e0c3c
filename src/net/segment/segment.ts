import { createSocket, type Socket } from 'node:dgram'
import { Broadcast, type Queue } from '../../base/index.ts'
import type { SegmentAddress } from '../../plan/index.ts'
import { NetError } from '../errors.ts'
import { ethernetHeader, type Frame, frameOf } from './frame.ts'

/** The traffic of one sender. */
export interface Traffic {
  readonly frames: number
  readonly bytes: number
}

/** Frames wait here while this process is busy. The kernel may grant less (net.core.rmem_max). */
const receiveBuffer = 4 << 20

/** The largest UDP datagram over IPv4. */
const maxFrame = 65_507

const loopback = '127.0.0.1'

/**
 * Joins a multicast segment, a net of a user-space cluster, as a further member: it receives all frames, and can
 * send some. On loopback, like the nodes.
 *
 * ```ts
 * await using segment = await joinSegment(segmentOf(1))
 * for await (const { source, destination, bytes } of segment.capture()) …
 * ```
 */
export async function joinSegment(address: SegmentAddress): Promise<Segment> {
  const { group, port } = address
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: group, port, exclusive: true }, resolve)
    })
    socket.addMembership(group, loopback)
    socket.setMulticastInterface(loopback)
    socket.setRecvBufferSize(receiveBuffer)
  } catch (failure) {
    socket.close()
    throw notJoined(address, failure as Error)
  }
  return new Segment(address, socket)
}

/** A member of a segment. Closing it leaves the segment and ends captures. */
export class Segment implements AsyncDisposable {
  readonly group: string
  readonly port: number
  readonly #socket: Socket
  readonly #frames = new Broadcast<Frame>()
  readonly #traffic = new Map<string, Traffic>()
  #closing: Promise<void> | undefined

  constructor({ group, port }: SegmentAddress, socket: Socket) {
    this.group = group
    this.port = port
    this.#socket = socket
    socket.removeAllListeners('error')
    socket.on('message', bytes => this.#received(bytes))
    socket.on('error', () => void this.close())
  }

  /**
   * All frames from now on, including its own. A reader that lags by more than `limit` frames loses the
   * oldest; `lost` of the queue counts them.
   */
  capture(limit = 4096): Queue<Frame> {
    return this.#frames.listen({ limit })
  }

  /**
   * The traffic since joining, by the sender's Ethernet address. The last two bytes of a node's address are
   * its net and its number.
   */
  traffic(): ReadonlyMap<string, Traffic> {
    return new Map(this.#traffic)
  }

  /** Sends a frame to all members of the segment, including itself. Resolves when the kernel has it. */
  async inject(frame: Uint8Array): Promise<void> {
    if (this.#closing !== undefined) throw this.#refused('it has been closed')
    if (frame.length < ethernetHeader || frame.length > maxFrame)
      throw this.#refused(
        `a frame has ${ethernetHeader} to ${maxFrame} bytes, and this one has ${frame.length}`,
      )
    await new Promise<void>((resolve, reject) =>
      this.#socket.send(frame, this.port, this.group, failure =>
        failure ? reject(this.#refused(failure.message, failure)) : resolve(),
      ),
    )
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>(resolve => this.#socket.close(resolve)).then(() => this.#frames.end())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #received(bytes: Uint8Array): void {
    const frame = frameOf(bytes, performance.timeOrigin + performance.now())
    if (!frame) return
    const { frames = 0, bytes: before = 0 } = this.#traffic.get(frame.source) ?? {}
    this.#traffic.set(frame.source, { frames: frames + 1, bytes: before + bytes.length })
    this.#frames.send(frame)
  }

  #refused(reason: string, cause?: Error): NetError {
    const target = this.group
    return new NetError({ code: 'SEGMENT_SEND', op: 'inject', target, reason, ...(cause && { cause }) })
  }
}

function notJoined({ group, port }: SegmentAddress, cause: Error): NetError {
  const target = `${group}:${port}`
  return new NetError({ code: 'SEGMENT_JOIN', op: 'join segment', target, reason: cause.message, cause })
}
