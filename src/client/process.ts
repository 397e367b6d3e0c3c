import { readFile } from 'node:fs/promises'
import { pause, systemClock } from '../base/index.ts'

/**
 * Resolves when this process has ended (an unreaped zombie has). The owner answers just before it ends; this
 * covers those milliseconds, and gives up after two seconds.
 */
export async function gone(pid: number): Promise<void> {
  const deadline = systemClock.now() + 2000
  while (systemClock.now() < deadline && (await isAlive(pid))) await pause(systemClock, 3)
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // proc(5): `pid (name) state …`; the name may hold anything, so the state is after the last parenthesis.
  return stat !== '' && stat[stat.lastIndexOf(')') + 2] !== 'Z'
}
