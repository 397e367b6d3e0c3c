import { Queue } from '../../base/index.ts'
import { type SegmentAddress, segmentOf, type TapSpec } from '../../plan/index.ts'
import { openRoute } from '../../rtnl/index.ts'
import { type NetNamespace, openPackets } from '../../sys/index.ts'
import { NetError } from '../errors.ts'
import { type Frame, frameOf } from '../segment/frame.ts'
import { joinSegment } from '../segment/segment.ts'

/** Takes the frames of one node's interface, as the host sees them, both directions. */
export interface FrameReceiver {
  /** Where the next frame is received, if that is possible: then `bytes` is its beginning. */
  room?(): Uint8Array
  /** It calls `drain` from time to time as long as frames come, so that they may gather. Default: false. */
  readonly drains?: boolean
  /**
   * `at`: when the kernel saw it, in milliseconds since 1970. `length`: that of the frame, of which the bytes are the
   * beginning. Keep a copy of the bytes.
   */
  frame(bytes: Uint8Array, at: number, length: number): void
  /** The link has gone, and what it had is complete. */
  end(): void
}

/** A link that is being captured. */
export interface CapturedLink extends AsyncDisposable {
  /** Frames that came while the socket's buffer was full. */
  readonly dropped: number
  /** Passes on frames that have arrived already. False when there can be more of them. */
  drain(): boolean
  /** What has arrived is passed on before it closes. */
  close(): Promise<void>
}

/** What of a fabric a capture needs. */
export interface Capturable {
  capture(spec: TapSpec, receiver: FrameReceiver): Promise<CapturedLink>
}

/** Frames of one node's interface. The reader that lags loses the oldest: `lost`. */
export interface FrameSource extends AsyncDisposable {
  readonly frames: Queue<Frame>
  /** Frames for which the socket or the queue had no room. */
  readonly lost: number
  close(): Promise<void>
}

const waiting = { limit: 16_384 }

/** The frames of a node's interface as a queue. Throws NO_CAPTURE where this process cannot see them. */
export async function captureFrames(fabric: Capturable, spec: TapSpec): Promise<FrameSource> {
  const frames = new Queue<Frame>(waiting)
  const link = await fabric.capture(spec, {
    frame(bytes, at) {
      const frame = frameOf(bytes.slice(), at)
      if (frame) frames.push(frame)
    },
    end: () => frames.end(),
  })
  const close = () => link.close().then(() => frames.end())
  return {
    frames,
    get lost() {
      return frames.lost + link.dropped
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The frames of a link in a namespace. Throws NO_CAPTURE when the link is not there. */
export async function captureLink(
  namespace: NetNamespace,
  name: string,
  receiver: FrameReceiver,
): Promise<CapturedLink> {
  await using route = openRoute({ namespace })
  const link = await route.links.get(name).catch(cause => {
    throw noCapture(name, 'there is no such link', { cause })
  })
  return openPackets({ namespace, index: link.index }, receiver)
}

/** The frames of a multicast segment that a node sends, or that are for it or for all. */
export async function captureSegment(
  { net, mac }: TapSpec,
  mcastBase: number,
  receiver: FrameReceiver,
): Promise<CapturedLink> {
  if (net === 0)
    throw noCapture('net 0 in user space', 'it is inside of QEMU', {
      remedy: 'Capture in the guest, with a program of its own',
    })
  const address: SegmentAddress = segmentOf(net, mcastBase)
  const segment = await joinSegment(address)
  const all = segment.capture(waiting.limit)
  const isOf = ({ source, destination }: Frame) =>
    [source, destination].includes(mac) || (Number.parseInt(destination, 16) & 1) === 1
  const sorting = (async () => {
    for await (const frame of all) if (isOf(frame)) receiver.frame(frame.bytes, frame.at, frame.bytes.length)
    receiver.end()
  })()
  const close = async () => {
    await segment.close()
    await sorting
  }
  return {
    get dropped() {
      return all.lost
    },
    drain: () => true,
    close,
    [Symbol.asyncDispose]: close,
  }
}

export function noCapture(
  target: string,
  reason: string,
  more: { readonly remedy?: string; readonly cause?: unknown } = {},
): NetError {
  return new NetError({ code: 'NO_CAPTURE', op: 'capture', target, reason, ...more })
}
