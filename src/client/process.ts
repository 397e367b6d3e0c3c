import { readFileSync } from 'node:fs'
import { type Clock, systemClock, until } from '../base/index.ts'

/**
 * Resolves when this process has ended, or after two seconds. An owner answers `stop` a few milliseconds before it
 * ends.
 */
export async function gone(pid: number, clock: Clock = systemClock): Promise<void> {
  await until(clock, () => !isAlive(pid), { everyMs: 3, withinMs: 2000, why: 'process' })
}

/** False for a process that has ended, reaped or not. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return false
  // proc(5): `pid (name) state …`; the name may hold anything, so the state is after the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // The first thread can be a zombie while others still end and hold files and locks. Field 20 is their number.
  return fields[0] !== 'Z' || Number(fields[17]) > 1
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
