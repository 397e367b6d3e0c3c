import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One process as /proc shows it. */
export interface ProcessSeen {
  readonly pid: number
  /** In clock ticks since boot: with the pid it identifies the process for ever. */
  readonly startTime: number
  readonly command: string
  readonly state: string
}

/**
 * Marks everything that this process starts from now on, orphans too: all descendants inherit a soft limit
 * that no other process has, whatever becomes of their parents, environment and user. (It is the limit on
 * realtime scheduling, which nothing here uses.)
 */
let mark: string | undefined

export function markDescendants(): void {
  if (mark) return
  const unique = String(10 ** 15 + process.pid * 10 ** 6 + Math.floor(Math.random() * 10 ** 6))
  execFileSync('prlimit', [`--pid=${process.pid}`, `--rttime=${unique}:`])
  mark = unique
}

/** The processes started below this one since {@link markDescendants}, except itself and zombies. */
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
    return seen && seen.state !== 'Z' && seen.state !== 'X' ? seen : undefined
  } catch {
    return undefined // the process ended meanwhile
  }
}

/** The contents of /proc/<pid>/stat, or undefined when the process does not exist. */
function readStat(pid: number): ProcessSeen | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid, command, state: fields[0]!, startTime: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** True while the process runs. A zombie does not run. */
export function isAlive(pid: number): boolean {
  const state = readStat(pid)?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Open file descriptors of a process, by number, with what they refer to. */
export function openFds(pid: number | 'self' = 'self'): Map<number, string> {
  const fds = new Map<number, string>()
  const directory = `/proc/${pid}/fd`
  for (const name of readdirSync(directory)) {
    try {
      fds.set(Number(name), readlinkSync(`${directory}/${name}`))
    } catch {
      // the one that was used to list the directory
    }
  }
  return fds
}
