import { Queue } from '../../base/index.ts'
import { type SegmentAddress, segmentOf, type TapSpec } from '../../plan/index.ts'
import { openRoute } from '../../rtnl/index.ts'
import { type NetNamespace, openPackets } from '../../sys/index.ts'
import { NetError } from '../errors.ts'
import { type Frame, frameOf } from '../segment/frame.ts'
import { joinSegment } from '../segment/segment.ts'

/** Frames of one node's interface, as the host sees them. The reader that lags loses the oldest: `frames.lost`. */
export interface FrameSource extends AsyncDisposable {
  readonly frames: Queue<Frame>
  close(): Promise<void>
}

const waiting = { limit: 16_384 }

/** The frames of a link in a namespace, both directions. Throws NO_CAPTURE when the link is not there. */
export async function captureLink(namespace: NetNamespace, name: string): Promise<FrameSource> {
  await using route = openRoute({ namespace })
  const link = (await route.links.list()).find(each => each.name === name)
  if (!link) throw noCapture(name, 'there is no such link')
  const frames = new Queue<Frame>(waiting)
  const port = openPackets({ namespace, index: link.index })
  port.receive({
    data(bytes) {
      const frame = frameOf(bytes, performance.timeOrigin + performance.now())
      if (frame) frames.push(frame)
    },
    end: () => frames.end(), // the link has gone, and what it had is complete
  })
  const close = () => port.close().then(() => frames.end())
  return { frames, close, [Symbol.asyncDispose]: close }
}

/** The frames of a multicast segment that a node sends, or that are for it or for all. */
export async function captureSegment({ net, mac }: TapSpec, mcastBase: number): Promise<FrameSource> {
  if (net === 0)
    throw noCapture(
      'net 0 in user space',
      'it is inside of QEMU',
      'Capture in the guest, with a program of its own',
    )
  const address: SegmentAddress = segmentOf(net, mcastBase)
  const segment = await joinSegment(address)
  const all = segment.capture(waiting.limit)
  const frames = new Queue<Frame>(waiting)
  const isOf = ({ source, destination }: Frame) =>
    [source, destination].includes(mac) || (Number.parseInt(destination, 16) & 1) === 1
  const sorting = (async () => {
    for await (const frame of all) if (isOf(frame)) frames.push(frame)
    frames.end()
  })()
  const close = async () => {
    await segment.close()
    await sorting
  }
  return { frames, close, [Symbol.asyncDispose]: close }
}

export function noCapture(target: string, reason: string, remedy?: string): NetError {
  return new NetError({ code: 'NO_CAPTURE', op: 'capture', target, reason, ...(remedy && { remedy }) })
}
