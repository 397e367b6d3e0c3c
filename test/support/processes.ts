import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One process, from /proc. */
export interface ProcessSeen {
  readonly pid: number
  /** In clock ticks since boot. Together with the pid it identifies the process. */
  readonly startTime: number
  readonly command: string
  readonly state: string
  readonly threads: number
}

/**
 * Distinguishes the descendants of this process, orphans too, from all other processes: a unique soft limit is
 * inherited whatever happens to their parents, environment and user. The limit is of realtime scheduling, which is
 * not used here.
 */
let mark: string | undefined

export function markDescendants(): void {
  if (mark) return
  const unique = String(10 ** 15 + process.pid * 10 ** 6 + Math.floor(Math.random() * 10 ** 6))
  execFileSync('prlimit', [`--pid=${process.pid}`, `--rttime=${unique}:`])
  mark = unique
}

/** The descendants of this process since {@link markDescendants}, without zombies. */
export function descendants(): ProcessSeen[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(name => readProcess(Number(name)) ?? [])
}

function readProcess(pid: number): ProcessSeen | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'latin1')
    if (!mark || limits.match(/^Max realtime timeout\s+(\S+)/m)?.[1] !== mark) return undefined
    const seen = readStat(pid)
    return seen && runs(seen) ? seen : undefined
  } catch {
    return undefined // it has ended in the meantime
  }
}

/** The process in /proc/<pid>/stat. Undefined when there is no such process. */
function readStat(pid: number): ProcessSeen | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid, command, state: fields[0]!, threads: Number(fields[17]), startTime: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** True while the process runs. A zombie does not run. */
export function isAlive(pid: number): boolean {
  const seen = readStat(pid)
  return seen !== undefined && runs(seen)
}

/**
 * After a kill, the first thread can be a zombie while others still end: until then they hold the process's files,
 * sockets and locks.
 */
function runs({ state, threads }: ProcessSeen): boolean {
  return state !== 'X' && (state !== 'Z' || threads > 1)
}

/** The open file descriptors of a process: their numbers and targets. */
export function openFds(pid: number | 'self' = 'self'): Map<number, string> {
  const fds = new Map<number, string>()
  const directory = `/proc/${pid}/fd`
  for (const name of readdirSync(directory)) {
    try {
      fds.set(Number(name), readlinkSync(`${directory}/${name}`))
    } catch {
      // the descriptor that listed the directory
    }
  }
  return fds
}
