import { type Clock, idleClock } from '../../base/index.ts'
import { type BridgePlan, segmentNets, segmentOf } from '../../plan/index.ts'
import { joinSegment, type Segment } from '../segment/segment.ts'
import type { InterfaceTraffic } from '../traffic.ts'

/** A meter receives every frame of its segment, so it ends when it has not been read for so long. */
const idleMs = 15_000

/** Counts the frames of multicast segments while they are asked for. */
export class SegmentMeters {
  readonly #mcastBase: number
  readonly #clock: Clock
  readonly #segments = new Map<number, Segment>()
  #cancel = () => {}

  constructor(mcastBase: number, clock: Clock = idleClock) {
    this.#mcastBase = mcastBase
    this.#clock = clock
  }

  /** What each node has sent on each segment since the first of a series of readings. */
  async read({ taps }: Pick<BridgePlan, 'taps'>): Promise<InterfaceTraffic[]> {
    this.#cancel()
    this.#cancel = this.#clock.after(idleMs, () => void this.close())
    for (const net of segmentNets(taps)) {
      if (this.#segments.has(net)) continue
      this.#segments.set(net, await joinSegment(segmentOf(net, this.#mcastBase)))
    }
    return taps.flatMap(({ node, net, mac }) => {
      const segment = this.#segments.get(net)
      return segment ? [{ node, net, sent: segment.traffic().get(mac) ?? { frames: 0, bytes: 0 } }] : []
    })
  }

  async close(): Promise<void> {
    this.#cancel()
    const open = [...this.#segments.values()]
    this.#segments.clear()
    await Promise.all(open.map(segment => segment.close()))
  }
}
