import { readFileSync } from 'node:fs'
import { type Clock, until } from '../../base/index.ts'

/** A process is idle when it has used at most one tick in each of two looks in a row, this far apart. */
const lookMs = 100
/** After this long it is taken as it is. */
const mostMs = 5000

/** What still runs in the guest would run on in every clone. Waits until QEMU uses next to no CPU. */
export async function untilIdle(clock: Clock, ticks: () => number): Promise<void> {
  let before = Number.NEGATIVE_INFINITY
  let quiet = 0
  const isIdle = () => {
    const now = ticks()
    quiet = now - before <= 1 ? quiet + 1 : 0
    before = now
    return quiet === 2
  }
  await until(clock, isIdle, { everyMs: lookMs, withinMs: mostMs, why: 'idleness' })
}

/** CPU time of a process so far, in hundredths of a second (proc_pid_stat(5): utime, stime). */
export function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
