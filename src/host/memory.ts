import { readFileSync } from 'node:fs'
import { settingText } from '../base/index.ts'
import type { NodePlan } from '../plan/index.ts'
import { HostError } from './errors.ts'

/** Returns a file's text, or undefined when there is no such file. */
export type ReadText = (path: string) => string | undefined

/** QEMU's own memory: translated code, copies of kernel and initramfs. A VM of 128 MiB had 212 MiB private. */
const overheadMiB = 96

/** A clone's QEMU, and the share of guest memory that the clone writes: under 30 MiB for an idle one of 128 MiB. */
const cloneOverheadMiB = 32
const cloneShare = 1 / 4

export interface MemoryOptions {
  /** The nodes are clones. These share the pages that they do not write, so each needs less than its size. */
  readonly clones?: boolean
  readonly read?: ReadText
}

/**
 * Returns how many MiB the nodes need. Throws NOT_ENOUGH_MEMORY when that is more than is free: the kernel would kill
 * some of them later.
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
    remedy: `Start fewer nodes, give them less (${settingText('mem')}), or stop another cluster`,
  })
}

/** For clones it adds their templates. */
function neededMiB(nodes: readonly NodePlan[], clones: boolean): number {
  const own = nodes.reduce((sum, node) => sum + nodeMiB(node, clones), 0)
  return Math.ceil(own + templatesMiB(nodes, clones))
}

/** What one node needs. */
export function nodeMiB({ memMiB }: Pick<NodePlan, 'memMiB'>, clones: boolean): number {
  return clones ? memMiB * cloneShare + cloneOverheadMiB : memMiB + overheadMiB
}

/** What the templates of these nodes need. They take all of their memory: at least one for each size. */
export function templatesMiB(nodes: readonly Pick<NodePlan, 'memMiB'>[], clones: boolean): number {
  const sizes = clones ? [...new Set(nodes.map(({ memMiB }) => memMiB))] : []
  return sizes.reduce((sum, size) => sum + size + overheadMiB, 0)
}

/** The memory that this process can still use: the least that the machine and its control groups have free. */
export function freeMemory(read: ReadText = readText): { freeMiB: number; limitedBy: string } {
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Infinity)
  const limits = [{ free: available * 1024, limitedBy: 'MemAvailable of /proc/meminfo' }]
  for (const group of memoryGroups(read('/proc/self/cgroup') ?? '')) {
    const free = freeIn(group, read)
    if (free !== undefined) limits.push({ free, limitedBy: `limit of control group ${group.path}` })
  }
  const least = limits.reduce((a, b) => (b.free < a.free ? b : a))
  return { freeMiB: Math.max(0, Math.floor(least.free / (1 << 20))), limitedBy: least.limitedBy }
}

interface Group {
  readonly path: string
  readonly limit: string
  readonly usage: string
  /** Finds in memory.stat the page cache that the kernel reclaims first. */
  readonly reclaimable: RegExp
}

/**
 * The control groups of this process, from its own up to the root. In a container only the root may be visible, even
 * when /proc/self/cgroup names others: groups without files are skipped.
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

function freeIn({ path, limit, usage, reclaimable }: Group, read: ReadText): number | undefined {
  const most = Number(read(`${path}/${limit}`) ?? Number.NaN) // version 2 has `max` for no limit
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
