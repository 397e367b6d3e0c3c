import { readFileSync } from 'node:fs'
import { messageOf, type Places, XclusterError } from '../../base/index.ts'
import { buildImage } from '../../image/index.ts'
import { mayFallBack, openBridgeFabric } from '../../net/index.ts'
import { planBridges, planCluster, type Settings } from '../../plan/index.ts'
import { launch } from '../../sys/index.ts'
import { detectAccel, findQemu } from '../../vm/index.ts'
import { lack } from '../errors.ts'
import { checkMemory, freeMemory } from '../memory.ts'
import { identityOf } from '../qemu-user.ts'
import { firewall, kernelParts, socketBuffers, tun, userNamespaces } from './network.ts'

/** The result of one check of this machine. */
export interface Finding {
  /** What was checked: `network`, `kvm` … */
  readonly name: string
  readonly ok: boolean
  /** False: a cluster starts without it, but is slower or lacks a feature. */
  readonly required: boolean
  /** What the check found or, when `ok` is false, what is missing. */
  readonly found: string
  /** What you can do about it, as a sentence without its full stop. */
  readonly remedy?: string
}

/** What to examine this machine for. */
export interface Examination {
  readonly settings: Settings
  readonly places: Places
  /** PATH, to find QEMU. */
  readonly searchPath: string
}

interface Check {
  readonly name: string
  readonly required: boolean
  /** Returns what it found. Throws when that is not enough. */
  look(on: Examination): Promise<string> | string
}

/** Wherever possible a check uses the feature: a device that exists need not work. */
const checks: readonly Check[] = [
  { name: 'user', required: true, look: user },
  { name: 'launcher', required: true, look: launcher },
  { name: 'network', required: true, look: network },
  { name: 'tun', required: false, look: () => tun() },
  { name: 'user namespaces', required: false, look: () => userNamespaces() },
  { name: 'firewall', required: false, look: ({ settings }) => firewall(settings) },
  { name: 'kernel', required: false, look: kernelParts },
  { name: 'socket buffers', required: false, look: () => socketBuffers() },
  { name: 'qemu', required: true, look: qemu },
  { name: 'kvm', required: false, look: kvm },
  { name: 'guest image', required: true, look: guestImage },
  { name: 'memory', required: true, look: memory },
  { name: 'limits', required: true, look: limits },
]

/** Checks whether this machine has everything that a cluster with these settings needs. Never throws. */
export async function examine(on: Examination): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { name, required, look } of checks) {
    try {
      findings.push({ name, required, ok: true, found: await look(on) })
    } catch (failure) {
      const avoidable = look === network && mayFallBack(on.settings, failure)
      findings.push({ name, required: required && !avoidable, ok: false, ...textsOf(failure) })
    }
  }
  return findings
}

function textsOf(failure: unknown): { found: string; remedy?: string } {
  if (!(failure instanceof XclusterError)) return { found: messageOf(failure) }
  const { op, target, reason, remedy } = failure
  const doing = [op, target].filter(Boolean).join(' ')
  return { found: doing ? `${doing}: ${reason}` : reason, ...(remedy !== undefined && { remedy }) }
}

/** An unprivileged user needs a user namespace for the network; `network` below tries to make one. */
function user(): string {
  const uid = process.geteuid!()
  return uid === 0 ? 'running as root' : `running as user ${uid}: networks are made in user namespaces`
}

/** The addon starts the launcher, so this tries both. */
async function launcher(): Promise<string> {
  const launched = launch({ file: '/bin/true' })
  const { code, signal } = await launched.exited
  if (code === 0) return 'the native addon and the launcher work'
  throw lack(launched.stderr().trim() || `the launcher ended with ${signal ?? code}`, 'Run: npx xc setup')
}

/** Makes the smallest possible network: a namespace, a bridge, a tap. */
async function network({ settings: { mtu, fabric } }: Examination): Promise<string> {
  if (fabric === 'user') return 'a user-space network needs neither namespaces nor taps'
  const plan = planBridges({ mtu, nodes: [{ id: 1, nets: [0] }], host: new Map() })
  await using _ = await openBridgeFabric(plan)
  return 'namespaces, bridges and taps can be made'
}

async function qemu({ settings, searchPath }: Examination): Promise<string> {
  const found = await findQemu({
    given: settings.kvm || undefined,
    searchPath,
  })
  return `${found.path}, version ${found.version}`
}

async function kvm({ settings, places, searchPath }: Examination): Promise<string> {
  const identity = identityOf(1, settings.uidBase)
  const program = await findQemu({
    given: settings.kvm || undefined,
    searchPath,
  })
  const probe = { want: 'auto', qemu: program, identity, cacheDir: places.cache, notice: () => {} } as const
  const accel = await detectAccel(probe)
  if (accel.kind === 'kvm') return 'a test guest runs on it'
  const reason = `VMs will be emulated, which is slow: ${accel.reason ?? 'the reason is unknown'}`
  throw lack(reason, 'Use a machine, or a VM with nested virtualisation, where /dev/kvm works')
}

async function guestImage({ settings, places }: Examination): Promise<string> {
  const kernel = settings.kernel || undefined
  const image = await buildImage({ kernel, cacheDir: places.cache })
  const extras = [image.hasTelnetd && 'telnetd', image.hasDropbear && 'dropbear'].filter(Boolean).join(', ')
  return `Linux ${image.kernelVersion}, ${image.modules.length} modules, ${extras || 'no login servers'}`
}

function memory({ settings }: Examination): string {
  const { nodes } = planCluster(settings)
  const clones = settings.clone === 'always'
  const needed = checkMemory(nodes, { clones })
  const { freeMiB, limitedBy } = freeMemory()
  const these = `${nodes.length} ${clones ? 'clones' : 'nodes that boot'}`
  return `${these} need ${needed} MiB, and ${freeMiB} MiB are free (${limitedBy})`
}

/** The limit of open files: compared with what a cluster of this size opens at most, and a reserve. */
function limits({ settings }: Examination): string {
  const { nodes, bridges } = planCluster(settings)
  const needed = 64 + 8 * nodes.length + bridges.taps.length
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  const most = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  if (most >= needed) return `${soft} open files are allowed, ${needed} are needed`
  throw lack(`${soft} open files are allowed, ${needed} are needed`, `Run: ulimit -n ${needed}`)
}
