import type { ClusterEvent, Counted, CountedRates, Counters, CountersEvent } from '../api/index.ts'
import { ArgumentError, type Broadcast, type Clock, nodeName, type Queue } from '../base/index.ts'

/** Which events to hear. */
export interface EventOptions {
  /** Also the counters of each link and net, with their rates, each time that so many milliseconds have passed: 100 to a day. */
  readonly countersMs?: number | undefined
}

/** Where counters come from. Undefined: there are none yet. */
export interface CounterSource {
  readonly clock: Clock
  readonly read: () => Promise<Counters> | undefined
}

const [shortestMs, longestMs] = [100, 86_400_000]

/** Events from now on. Each listener that asks for counters has readings of its own. Throws BAD_ARGUMENT. */
export function listenTo(
  events: Broadcast<ClusterEvent>,
  { countersMs }: EventOptions,
  { clock, read }: CounterSource,
): Queue<ClusterEvent> {
  if (countersMs === undefined) return events.listen()
  if (!(countersMs >= shortestMs && countersMs <= longestMs))
    throw new ArgumentError(
      'listen to events',
      `countersMs is ${countersMs}, and can be from ${shortestMs} to ${longestMs}`,
    )
  let [isOver, cancel] = [false, () => {}]
  const queue = events.listen({
    onClose: () => {
      isOver = true
      cancel()
    },
  })
  let before: Counters | undefined
  const look = async () => {
    // Nothing to count before the network is there, and while it goes: the next reading begins anew.
    const after = await read()?.catch(() => undefined)
    if (before && after) queue.push(countersEvent(before, after))
    before = after
    if (!isOver) cancel = clock.after(countersMs, () => void look())
  }
  void look()
  return queue
}

/** What each link and net has carried, and how much a second between two readings. Pure. */
export function countersEvent(before: Counters, after: Counters): CountersEvent {
  const seconds = (after.atMs - before.atMs) / 1000
  const rated = (now: Counted, then: Counted | undefined): CountedRates => ({
    ...now,
    framesPerSecond: Math.round(rate(now.frames, then?.frames, seconds)),
    bitsPerSecond: Math.round(8 * rate(now.bytes, then?.bytes, seconds)),
  })
  const links = after.nodes.flatMap(({ id, nets }) =>
    nets.map(({ net, dev, sent, received }) => {
      const then = before.nodes.find(node => node.id === id)?.nets.find(each => each.net === net)
      return {
        ...{ id, name: nodeName(id), dev, net, sent: rated(sent, then?.sent) },
        ...(received && { received: rated(received, then?.received) }),
      }
    }),
  )
  const numbers = [...new Set(links.map(({ net }) => net))].sort((a, b) => a - b)
  const nets = numbers.map(net => ({
    net,
    ...sum(links.filter(link => link.net === net).map(({ sent }) => sent)),
  }))
  return { type: 'counters', seconds, links, nets }
}

/** A node that has been reset counts from 0 again. */
function rate(now: number, then: number | undefined, seconds: number): number {
  if (then === undefined || seconds <= 0) return 0
  return (now < then ? now : now - then) / seconds
}

function sum(all: readonly CountedRates[]): CountedRates {
  const total = (of: (each: CountedRates) => number) => all.reduce((before, each) => before + of(each), 0)
  const dropped = all.some(each => each.dropped !== undefined)
  return {
    frames: total(({ frames }) => frames),
    bytes: total(({ bytes }) => bytes),
    ...(dropped && { dropped: total(each => each.dropped ?? 0) }),
    framesPerSecond: total(({ framesPerSecond }) => framesPerSecond),
    bitsPerSecond: total(({ bitsPerSecond }) => bitsPerSecond),
  }
}
