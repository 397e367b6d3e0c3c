import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { ProgressEvent, Status } from '../../src/api/index.ts'
import { Scope } from '../../src/base/index.ts'
import type * as Cluster from '../../src/cluster/index.ts'
import type { GuestImage } from '../../src/image/index.ts'
import type { Sample } from '../benchmark.ts'
import { built, builtFile } from '../built.ts'
import type { HostResources } from './host.ts'
import { nowMs, Prober } from './prober.ts'

/** A cluster of this project, with defaults for everything else. */
export interface Size {
  readonly nvm: number
  readonly nrouters: number
  /** Processors of each node. Default: the cluster's default. */
  readonly smp?: number
  /** Another QEMU and another kernel for guests: settings `kvm` and `kernel`. */
  readonly kvm?: string
  readonly kernel?: string
  /** Ready is what the start reports: all nodes have carried out their steps. No prober runs. */
  readonly unseen?: boolean
  /** Overlays, and a root of the user's. */
  readonly ovl?: readonly string[]
  readonly rootfs?: string
  /** Programs of this machine. */
  readonly with?: string
  /** Another image than the default one. */
  readonly image?: GuestImage
}

/**
 * Starts a cluster of this project, waits until it is ready, and removes it. `ready` is what the prober sees.
 * Each milestone is the time when the last node passed it. All are in milliseconds from the call. `template`
 * is the time spent on building templates.
 */
export async function clusterRound(
  host: HostResources,
  size: Size,
  clone: 'always' | 'off',
): Promise<Sample> {
  await using scope = new Scope()
  const { unseen, image, ...counts } = size
  const startCluster = await startWith(image)
  const prober = unseen ? undefined : new Prober(host.prober, scope)
  const before = namespacesHeld()
  const begins = new Map<string | number, number>()
  const sample: Record<string, number> = {}
  const began = nowMs()
  const options = { ...counts, clone }
  const notices: string[] = []
  const onEvent = (event: ProgressEvent) => {
    const ms = nowMs() - began
    if (event.type === 'notice') notices.push(event.text)
    if (event.type === 'node' && event.state === 'starting') begins.set(event.id, ms)
    if (event.type !== 'step') return
    // Building a template has several steps that begin: booting, saving, another template.
    if (event.state === 'begin') begins.set(event.step, begins.get(event.step) ?? ms)
    else if (event.step === 'template') sample.template = ms - begins.get('template')!
    else if (event.step === 'network') {
      const [, path] = Array.from(namespacesHeld()).find(([name]) => !before.has(name))!
      prober?.watch(path, idsOf(size))
    }
  }
  const cluster = scope.add(await startCluster(options, { places: host.places, onEvent }))
  const ready = ((await prober?.ready) ?? nowMs()) - began
  const status = cluster.status()
  if (clone === 'always') mustBeClones(status, notices)
  return { ...sample, ...lastMilestones(status, begins), ready, cpu: cpuOf(status), ...memoryOf(status) }
}

type Start = (typeof Cluster)['startCluster']

/** The way to start a cluster; with an image, all its guests boot this one. */
async function startWith(image: GuestImage | undefined): Promise<Start> {
  if (!image) return (await built('cluster')).startCluster
  const [{ startIn }, { systemWorld }] = await Promise.all([
    builtFile<typeof import('../../src/cluster/start.ts')>('cluster/start.js'),
    builtFile<typeof import('../../src/cluster/world.ts')>('cluster/world.js'),
  ])
  const system = systemWorld()
  const findHost: typeof system.findHost = async (...wanted) => {
    const host = await system.findHost(...wanted)
    return { ...host, image, software: node => ({ ...host.software(node), image }) }
  }
  return (options, hooks = {}) => startIn({ ...system, findHost }, options ?? {}, hooks)
}

export function idsOf({ nvm, nrouters }: Pick<Size, 'nvm' | 'nrouters'>): number[] {
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i)
  return [...from(1, nvm), ...from(201, nrouters)]
}

/**
 * The network namespaces that this process has open, with a path to each. A cluster does not report its own
 * before it is ready.
 */
export function namespacesHeld(): Map<string, string> {
  const fds = readdirSync('/proc/self/fd').map(fd => [targetOf(fd), `/proc/${process.pid}/fd/${fd}`] as const)
  return new Map(fds.filter(([target]) => target.startsWith('net:[')))
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // the one that was listing the directory
  }
}

/**
 * A node whose template is not available, or that does not resume, is booted instead; a notice has the
 * reason.
 */
export function mustBeClones({ nodes }: Status, notices: readonly string[]): void {
  const booted = nodes.filter(({ milestones }) => 'kernel' in milestones).map(({ name }) => name)
  if (booted.length === 0) return
  throw new Error(`${booted.join(', ')} booted instead of being cloned: ${notices.join('; ')}`)
}

function lastMilestones(
  { nodes }: Status,
  begins: ReadonlyMap<string | number, number>,
): Record<string, number> {
  const last: Record<string, number> = {}
  for (const { id, milestones } of nodes)
    for (const [name, ms] of Object.entries(milestones))
      last[name] = Math.max(last[name] ?? 0, begins.get(id)! + ms)
  return last
}

/** CPU time of all threads (`/proc/PID/task/TID/schedstat`), mean of all VMs, in milliseconds. */
export function cpuOf({ nodes }: Status): number {
  const threads = nodes.flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map(task => `/proc/${pid}/task/${task}/schedstat`),
  )
  const times = threads.map(nanosecondsOf)
  return times.reduce((sum, each) => sum + each, 0) / nodes.length / 1e6
}

/** 0 for a thread that has ended since it was listed, as the one that gives memory back. */
function nanosecondsOf(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ')[0])
  } catch {
    return 0
  }
}

/** Mean of all VMs, since `pss` divides shared memory among them. */
export function memoryOf({ nodes }: Status): Record<'pss' | 'private', number> {
  const rollups = nodes.map(({ pid }) => readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))
  const mean = (...fields: string[]) => {
    const kib = rollups.flatMap(text =>
      fields.map(field => Number(text.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))![1])),
    )
    return kib.reduce((sum, each) => sum + each, 0) / rollups.length / 1024
  }
  return { pss: mean('Pss'), private: mean('Private_Clean', 'Private_Dirty') }
}
