import type { Counters, UpstreamStatus } from '../types.ts'
import { add, type Figures, newFigures } from './histogram.ts'

/** The figures of a server besides those of its resolver. */
export interface ServerFigures {
  readonly refused: number
  readonly panics: number
  readonly connections: number
  readonly crowdedOut: number
  readonly lost: number
}

/** All figures of one thread, as plain data: they can be sent to another thread. */
export interface Snapshot {
  readonly figures: Figures
  readonly counters: Counters
  readonly cached: { readonly entries: number; readonly bytes: number }
  readonly server: ServerFigures
  readonly upstreams: readonly UpstreamStatus[]
}

/** Combines several threads: numbers are added, and an upstream is healthy when one thread finds it so. */
export function merge(parts: readonly Snapshot[]): Snapshot {
  const figures = newFigures()
  for (const part of parts) add(figures, part.figures)
  const upstreams = new Map<string, UpstreamStatus>()
  for (const upstream of parts.flatMap(part => part.upstreams)) {
    const id = `${upstream.zone} ${upstream.name}`
    const before = upstreams.get(id)
    upstreams.set(id, before ? together(before, upstream) : upstream)
  }
  return {
    figures,
    counters: sums(parts.map(({ counters }) => counters)),
    cached: sums(parts.map(({ cached }) => cached)),
    server: sums(parts.map(({ server }) => server)),
    upstreams: [...upstreams.values()],
  }
}

function together(one: UpstreamStatus, other: UpstreamStatus): UpstreamStatus {
  const { name, zone, healthy, loops, rttMs, ...numbers } = one
  const { name: _1, zone: _2, healthy: alsoHealthy, loops: alsoLoops, rttMs: otherRtt, ...others } = other
  return {
    ...sums([numbers, others]),
    ...{ name, zone, healthy: healthy || alsoHealthy, loops: loops || alsoLoops, rttMs: rttMs ?? otherRtt },
  }
}

function sums<T extends object>(parts: readonly T[]): T {
  const total: Record<string, number> = {}
  for (const part of parts)
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + Number(value)
  return total as T
}
