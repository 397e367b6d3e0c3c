import type { Answered } from '../types.ts'
import { headerBytes } from '../wire/constants.ts'
import { rcodeText, typeText } from '../wire/mnemonics.ts'
import { rcodeOf } from '../wire/rcode.ts'

/** Upper bounds in seconds and in bytes: CoreDNS's (plugin/metrics/vars). */
const secondsBounds = [
  0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
  8.192,
]
const bytesBounds = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000]

/** The number of values up to each bound. It can be sent to another thread. */
export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum: number
  count: number
}

/**
 * The figures about queries and answers for Prometheus. Plain data, so that those of several threads can be
 * added.
 */
export interface Figures {
  /** By protocol, address family and type. */
  readonly requests: Map<string, number>
  readonly responses: Map<string, number>
  readonly duration: Histogram
  readonly requestSize: Histogram
  readonly responseSize: Histogram
}

export function newFigures(): Figures {
  return {
    requests: new Map(),
    responses: new Map(),
    duration: histogram(secondsBounds),
    requestSize: histogram(bytesBounds),
    responseSize: histogram(bytesBounds),
  }
}

export function count(figures: Figures, { query, answer, asker, ms }: Answered): void {
  const family = asker.address.includes(':') ? 2 : 1
  const labels = `proto="${asker.transport}",family="${family}",type="${typeOf(query)}"`
  figures.requests.set(labels, (figures.requests.get(labels) ?? 0) + 1)
  const rcode = `rcode="${rcodeText(rcodeOf(answer))}"`
  figures.responses.set(rcode, (figures.responses.get(rcode) ?? 0) + 1)
  observe(figures.duration, ms / 1000)
  observe(figures.requestSize, query.length)
  observe(figures.responseSize, answer.length)
}

/** Adds the figures of one thread to a total. */
export function add(total: Figures, more: Figures): void {
  for (const kind of ['requests', 'responses'] as const)
    for (const [labels, value] of more[kind]) total[kind].set(labels, (total[kind].get(labels) ?? 0) + value)
  for (const kind of ['duration', 'requestSize', 'responseSize'] as const) {
    more[kind].counts.forEach((value, i) => {
      total[kind].counts[i]! += value
    })
    total[kind].sum += more[kind].sum
    total[kind].count += more[kind].count
  }
}

function histogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Array<number>(bounds.length).fill(0), sum: 0, count: 0 }
}

function observe(into: Histogram, value: number): void {
  into.sum += value
  into.count++
  const at = into.bounds.findIndex(bound => value <= bound)
  if (at >= 0) into.counts[at]!++
}

/** Unknown types share one label: otherwise a client could create millions of them. */
function typeOf(query: Uint8Array): string {
  let at = headerBytes
  while (query[at] && query[at]! < 0x40) at += query[at]! + 1
  const text = typeText((query[at + 1]! << 8) | query[at + 2]!)
  return text.startsWith('TYPE') ? 'other' : text
}
