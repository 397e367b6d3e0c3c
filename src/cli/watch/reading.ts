import type { ClusterState, Counted, Counters, NodeStatus, Status } from '../../api/index.ts'

/** What happens in a cluster, over the time between two readings of its counters. */
export interface Reading {
  readonly v: 1
  readonly name: string
  readonly state: ClusterState
  readonly topology: string
  /** The time between the two. 0 for the first: then there are no rates. */
  readonly seconds: number
  /** Load averages over 1, 5 and 15 minutes. */
  readonly load?: readonly number[]
  readonly dns?: { readonly queriesPerSecond: number; readonly answeredHerePerSecond: number }
  /** What nodes send on each net. */
  readonly nets: readonly {
    readonly net: number
    readonly framesPerSecond: number
    readonly bitsPerSecond: number
  }[]
  readonly nodes: readonly NodeReading[]
}

export interface NodeReading
  extends Pick<NodeStatus, 'id' | 'name' | 'role' | 'state' | 'reason' | 'warning'> {
  /** Of one processor: 150 is one and a half. */
  readonly cpuPercent?: number
  readonly nets: readonly {
    readonly net: number
    readonly sentBitsPerSecond: number
    readonly sentFramesPerSecond: number
    readonly receivedBitsPerSecond?: number
  }[]
}

/** Compares two readings of counters. Without `after`, or without `before`, there are states and no rates. Pure. */
export function readingOf(
  { name, state, topology, nodes }: Pick<Status, 'name' | 'state' | 'topology' | 'nodes'>,
  before: Counters | undefined,
  after: Counters | undefined,
): Reading {
  const seconds = before && after ? (after.atMs - before.atMs) / 1000 : 0
  const rate = (now: number, then: number | undefined) =>
    // A node that has been reset counts from 0 again.
    seconds > 0 && then !== undefined ? Math.max(0, now < then ? now : now - then) / seconds : 0
  const dns = after?.dns && {
    queriesPerSecond: rounded(rate(after.dns.questions, before?.dns?.questions)),
    answeredHerePerSecond: rounded(rate(after.dns.answeredHere, before?.dns?.answeredHere)),
  }
  const nodeReadings = nodes.map(node => nodeReading(node, { before, after, rate }))
  return {
    ...{ v: 1, name, state, topology, seconds: rounded(seconds) },
    ...(after && { load: after.load }),
    ...(dns && { dns }),
    nets: totals(nodeReadings),
    nodes: nodeReadings,
  }
}

interface Compared {
  readonly before: Counters | undefined
  readonly after: Counters | undefined
  readonly rate: (now: number, then: number | undefined) => number
}

function nodeReading(status: NodeStatus, { before, after, rate }: Compared): NodeReading {
  const { id, name, role, state, reason, warning } = status
  const now = after?.nodes.find(node => node.id === id)
  const then = before?.nodes.find(node => node.id === id)
  const bits = (counted: Counted, earlier: Counted | undefined) =>
    Math.round(8 * rate(counted.bytes, earlier?.bytes))
  return {
    ...{ id, name, role, state },
    ...(reason !== undefined && { reason }),
    ...(warning !== undefined && { warning }),
    ...(now?.cpuMs !== undefined && { cpuPercent: Math.round(rate(now.cpuMs, then?.cpuMs) / 10) }),
    nets: (now?.nets ?? []).map(({ net, sent, received }) => {
      const earlier = then?.nets.find(each => each.net === net)
      return {
        net,
        sentBitsPerSecond: bits(sent, earlier?.sent),
        sentFramesPerSecond: Math.round(rate(sent.frames, earlier?.sent.frames)),
        ...(received && { receivedBitsPerSecond: bits(received, earlier?.received) }),
      }
    }),
  }
}

function totals(nodes: readonly NodeReading[]): Reading['nets'] {
  const all = nodes.flatMap(({ nets }) => nets)
  const numbers = [...new Set(all.map(({ net }) => net))].sort((a, b) => a - b)
  return numbers.map(net => {
    const own = all.filter(each => each.net === net)
    const sum = (of: (each: (typeof own)[number]) => number) =>
      own.reduce((total, each) => total + of(each), 0)
    return {
      net,
      framesPerSecond: sum(each => each.sentFramesPerSecond),
      bitsPerSecond: sum(each => each.sentBitsPerSecond),
    }
  })
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
