import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { descendants } from './processes.ts'

/** The processes of a start that a test may kill. */
export const victims = ['owner', 'xc', 'launcher', 'QEMU'] as const
export type Victim = (typeof victims)[number]

/** One process of that kind among this process's descendants: a random one of several. */
export function findVictim(victim: Victim): number | undefined {
  if (victim === 'launcher') return findLauncher()
  const marks: Record<Exclude<Victim, 'launcher'>, RegExp> = {
    // Its process title is set when it runs. Before that its command line is Node with its script.
    owner: /xcluster-owner|owner\/main/,
    xc: /^[^\0]*node\0[^\0]*bin\/xc\.js\0/,
    QEMU: /^[^\0]*qemu-system-x86_64\0/,
  }
  return anyOf(descendants().filter(({ pid }) => marks[victim].test(commandLine(pid))))?.pid
}

/** A launcher lives for some milliseconds until it executes QEMU: only children of the owner are looked at. */
function findLauncher(): number | undefined {
  const owner = findVictim('owner')
  if (owner === undefined) return undefined
  for (const until = performance.now() + 200; performance.now() < until; ) {
    const pid = childrenOf(owner).find(child => executable(child).endsWith('/xcluster-launcher'))
    if (pid !== undefined) return pid
  }
  return undefined
}

function childrenOf(pid: number): number[] {
  try {
    const lists = readdirSync(`/proc/${pid}/task`).map(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1'),
    )
    return lists.join(' ').split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // it has ended
  }
}

function executable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

function anyOf<T>(all: readonly T[]): T | undefined {
  return all[Math.floor(Math.random() * all.length)]
}
