import { readFileSync, statSync } from 'node:fs'

/**
 * The process that holds this lock, if it is stopped: by SIGSTOP, Ctrl-Z or a debugger. The kernel still accepts
 * connections for it, so it looks like an owner that takes its time. proc_locks(5) has the holder.
 */
export function stoppedHolder(lock: string): number | undefined {
  const pid = holderOf(lock)
  return pid !== undefined && isStopped(pid) ? pid : undefined
}

function holderOf(lock: string): number | undefined {
  try {
    const { ino } = statSync(lock)
    const held = new RegExp(`FLOCK .* (\\d+) [0-9a-f]+:[0-9a-f]+:${ino} `).exec(
      readFileSync('/proc/locks', 'latin1'),
    )
    return held ? Number(held[1]) : undefined
  } catch {
    return undefined
  }
}

/** proc(5): the state comes after the name, which may hold anything. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[Tt]$/.test(stat[stat.lastIndexOf(')') + 2] ?? '')
  } catch {
    return false
  }
}
