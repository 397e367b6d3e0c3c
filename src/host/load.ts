import { readFileSync } from 'node:fs'
import type { Load } from './start-limit.ts'

/** Returns a file's text, or undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined

/** How busy the machine is now. It reads the machine's pressure, not a container's: they share the processors. */
export function readLoad(atMs: number, read: ReadText = readText): Load {
  // `0.20 0.18 0.12 1/80 11206`: the 1 is runnable threads, the reading one among them (proc(5)).
  const [, runnable = '1'] = /(\d+)\/\d+/.exec(read('/proc/loadavg') ?? '') ?? []
  // `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, in microseconds (Documentation/accounting/psi.rst).
  const [, stalled] = /^some .*\btotal=(\d+)/m.exec(read('/proc/pressure/cpu') ?? '') ?? []
  return {
    atMs,
    runnable: Math.max(0, Number(runnable) - 1),
    ...(stalled !== undefined && { stalledMs: Number(stalled) / 1000 }),
  }
}

/** When PSI is compiled in and switched off, the file can be opened but not read. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
