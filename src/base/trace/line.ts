import { printable } from '../printable.ts'
import type { TraceArea } from './areas.ts'
import { type TraceMessage, traceOf } from './trace.ts'
import { valueText } from './value-text.ts'

/** Characters. Terminals and editors handle longer lines badly. */
const longest = 8192

const arrows = { sent: '->', received: '<-', noted: '--' } as const

/**
 * A message as `XCLUSTER_TRACE` prints it: one line, without the newline. The time has the format of an owner's log, so
 * that lines of several processes can be sorted together.
 */
export function traceLine({ area, at, direction, peer, what, ms, value }: TraceMessage): string {
  const head = [new Date(at).toISOString(), area, arrows[direction], `${printable(peer)}:`, printable(what)]
  const took = ms === undefined ? [] : [`(${ms.toFixed(3)} ms)`]
  const decoded = value === undefined ? '{}' : valueText(value)
  const line = [...head, ...took, ...(decoded === '{}' ? [] : [decoded])].join(' ')
  return line.length > longest ? `${line.slice(0, longest)}… (${line.length} characters)` : line
}

/** Passes every message of these areas to `print`, as a line. The returned function ends that. */
export function printTraces(areas: readonly TraceArea[], print: (line: string) => void): () => void {
  const ends = areas.map(area => traceOf(area).listen(message => print(traceLine(message))))
  return () => {
    for (const end of ends) end()
  }
}
