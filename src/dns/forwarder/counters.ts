import type { Counters } from '../types.ts'

export function newCounters(): Counters {
  return {
    questions: 0,
    dropped: 0,
    rejected: 0,
    own: 0,
    hits: 0,
    misses: 0,
    stale: 0,
    prefetches: 0,
    merged: 0,
    failures: 0,
    evictions: 0,
  }
}
