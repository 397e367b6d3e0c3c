import { readFileSync } from 'node:fs'
import type { NodePlan } from '../plan/index.ts'
import { HostError } from './errors.ts'

/** Gives a file's text, or undefined where there is no such file. */
export type ReadText = (path: string) => string | undefined

/** QEMU's own: translated code, copies of kernel and initramfs. 212 MiB private were measured for a VM of 128 MiB. */
const overheadMiB = 96

/** A clone's QEMU, and the part of the guest's memory that it makes its own: under 30 MiB for an idle one of 128 MiB. */
const cloneOverheadMiB = 32
const cloneShare = 1 / 4

export interface MemoryOptions {
  /** They share what they do not write: each needs less than it has, as long as it does not fill it. */
  readonly clones?: boolean
  readonly read?: ReadText
}

/**
 * How many MiB the nodes need. Throws NOT_ENOUGH_MEMORY when they cannot all have theirs at once: the kernel would
 * kill some later.
 */
export function checkMemory(nodes: readonly NodePlan[], options: MemoryOptions = {}): number {
  const needed = neededMiB(nodes, options.clones ?? false)
  const { freeMiB, limitedBy } = freeMemory(options.read)
  if (needed <= freeMiB) return needed
  throw new HostError({
    code: 'NOT_ENOUGH_MEMORY',
    kind: 'prerequisite',
    op: 'start',
    target: `${nodes.length} nodes`,
    reason: `they need ${needed} MiB and ${freeMiB} MiB are free (${limitedBy})`,
    remedy: 'Start fewer nodes, give them less (--mem), or stop another cluster',
  })
}

/** The templates have all of theirs, one for each size at least. */
function neededMiB(nodes: readonly NodePlan[], clones: boolean): number {
  const whole = (sizes: Iterable<number>) =>
    Array.from(sizes).reduce((sum, size) => sum + size + overheadMiB, 0)
  const sizes = nodes.map(({ memMiB }) => memMiB)
  if (!clones) return whole(sizes)
  const own = sizes.reduce((sum, size) => sum + size * cloneShare + cloneOverheadMiB, 0)
  return Math.ceil(own + whole(new Set(sizes)))
}

/** What may still be used: the least of what the machine and each control group above us have left. */
export function freeMemory(read: ReadText = readText): { freeMiB: number; limitedBy: string } {
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Infinity)
  const rooms = [{ free: available * 1024, limitedBy: 'MemAvailable of /proc/meminfo' }]
  for (const group of memoryGroups(read('/proc/self/cgroup') ?? '')) {
    const free = roomIn(group, read)
    if (free !== undefined) rooms.push({ free, limitedBy: `limit of control group ${group.path}` })
  }
  const least = rooms.reduce((a, b) => (b.free < a.free ? b : a))
  return { freeMiB: Math.max(0, Math.floor(least.free / (1 << 20))), limitedBy: least.limitedBy }
}

interface Group {
  readonly path: string
  readonly limit: string
  readonly usage: string
  /** The page cache that the kernel takes back first, in memory.stat. */
  readonly reclaimable: RegExp
}

/**
 * The control groups that hold this process, from its own up to the root. Inside a container the root may be all
 * that there is to see, whatever /proc/self/cgroup says: files that are not there are passed over.
 */
function memoryGroups(cgroups: string): Group[] {
  return cgroups.split('\n').flatMap(line => {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const v1 = controllers.split(',').includes('memory')
    return v1 || line.startsWith('0::') ? upwards(path).map(at => groupAt(at, v1)) : []
  })
}

function groupAt(path: string, v1: boolean): Group {
  const directory = `/sys/fs/cgroup${v1 ? '/memory' : ''}${path === '/' ? '' : path}`
  return v1
    ? {
        path: directory,
        limit: 'memory.limit_in_bytes',
        usage: 'memory.usage_in_bytes',
        reclaimable: /^total_inactive_file (\d+)$/m,
      }
    : { path: directory, limit: 'memory.max', usage: 'memory.current', reclaimable: /^inactive_file (\d+)$/m }
}

/** `/a/b` → `/a/b`, `/a`, `/` */
function upwards(path: string): string[] {
  const parts = path.split('/').filter(Boolean)
  return [...parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`), '/']
}

function roomIn({ path, limit, usage, reclaimable }: Group, read: ReadText): number | undefined {
  const most = Number(read(`${path}/${limit}`) ?? Number.NaN) // v2 says `max` where there is none
  const used = Number(read(`${path}/${usage}`) ?? Number.NaN)
  if (Number.isNaN(most) || Number.isNaN(used)) return undefined
  const cache = Number(reclaimable.exec(read(`${path}/memory.stat`) ?? '')?.[1] ?? 0)
  return most - used + cache
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
