import { type Clock, defer, onAbort } from '../../base/index.ts'
import { decodeFrame } from '../packet/decode.ts'
import { type FrameFilter, frameFilter } from '../packet/filter.ts'
import type { Packet } from '../packet/packet.ts'
import { type ArrivedFrame, type NamedLink, type OpenLink, openLinks } from './links.ts'
import { type Capturable, noCapture } from './source.ts'

/** Which packet to wait for: a filter as for {@link frameFilter}, or a function that knows it. */
export type PacketWanted = string | ((packet: Packet) => boolean)

export interface PacketWait {
  readonly fabric: Capturable
  readonly clock: Clock
  readonly some: boolean
  /** Milliseconds; absent: any time. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Makes the error for a time limit that has passed after so many frames, and that for an abort. */
  late(frames: number): Error
  aborted(reason: unknown): Error
}

/** Waits for a packet on any of these links. Throws BAD_FILTER, NO_CAPTURE, and what the function throws. */
export async function awaitPacket(
  links: readonly NamedLink[],
  wanted: PacketWanted,
  wait: PacketWait,
): Promise<Packet> {
  const passes = typeof wanted === 'string' ? frameFilter(wanted) : undefined
  const found = defer<Packet>()
  found.promise.catch(() => {}) // it may come while the links are being opened
  let frames = 0
  const frame = (link: OpenLink, { bytes, at }: ArrivedFrame) => {
    frames++
    try {
      const packet = packetOf(link, { bytes, at, passes })
      if (packet && (typeof wanted === 'string' || wanted(packet))) found.resolve(packet)
    } catch (failure) {
      found.reject(failure)
    }
  }
  const gone = () => found.reject(noCapture('packet', 'the links have gone before it came'))
  const { fabric, some, clock, timeoutMs, signal } = wait
  await using _ = await openLinks(links, { fabric, some }, { frame, end: gone })
  const cancel =
    timeoutMs === undefined ? () => {} : clock.after(timeoutMs, () => found.reject(wait.late(frames)))
  const leave = onAbort(signal, () => found.reject(wait.aborted(signal?.reason)))
  try {
    return await found.promise
  } finally {
    cancel()
    leave()
  }
}

interface Arrived {
  readonly bytes: Uint8Array
  readonly at: number
  readonly passes: FrameFilter | undefined
}

/** With bytes of its own. */
function packetOf({ name, spec }: OpenLink, { bytes, at, passes }: Arrived): Packet | undefined {
  if (passes && !passes(bytes)) return undefined
  const own = bytes.slice()
  const headers = decodeFrame(own)
  return headers && { link: name, node: spec.node, net: spec.net, at, bytes: own, ...headers }
}
