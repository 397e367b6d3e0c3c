import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type Nic, templateWord } from '../../base/index.ts'
import { qemuArgs } from '../qemu/qemu-args.ts'
import type { Qemu } from '../shape.ts'
import type { AccelKind, VmSpec } from '../types.ts'
import type { TemplateSpec } from './types.ts'

/** Incremented when templates are made or stored differently. */
const format = 4

/** Everything that decides what a template is. Templates with equal facts are interchangeable. */
export interface TemplateFacts {
  readonly format: number
  readonly image: string
  readonly qemu: {
    readonly path: string
    readonly version: string
    readonly build?: string
    readonly size: number
    readonly mtimeMs: number
  }
  /** The host's CPU: a guest has measured its clock against this one, and with KVM it uses its instructions. */
  readonly cpu: string
  /** QEMU's arguments for the template. */
  readonly arguments: readonly string[]
  readonly warmUp: string
  readonly added: string
}

/** The hash of the facts, in hex: `<cacheDir>/templates/<key>`. */
export function templateKey(facts: TemplateFacts): string {
  const { image, qemu, cpu, warmUp, added } = facts
  const file = [qemu.path, qemu.version, qemu.size, qemu.mtimeMs, ...(qemu.build ? [qemu.build] : [])]
  return sha256(JSON.stringify([facts.format, image, file, cpu, facts.arguments, warmUp, added]))
}

/** The facts for a spec on this machine, now. */
export async function factsOf(spec: TemplateSpec): Promise<TemplateFacts> {
  return {
    format,
    image: spec.image,
    ...(await machineFacts(spec.qemu, spec.accel)),
    arguments: qemuArgs(templateVm(spec), 'template'),
    warmUp: spec.warmUp?.key ?? '',
    added: spec.added?.key ?? '',
  }
}

/** What of this machine decides whether a saved VM can be resumed. */
export type MachineFacts = Pick<TemplateFacts, 'qemu' | 'cpu'>

export async function machineFacts({ path, version, build }: Qemu, accel: AccelKind): Promise<MachineFacts> {
  const [{ size, mtimeMs }, cpuinfo] = await Promise.all([stat(path), readFile('/proc/cpuinfo', 'utf8')])
  const qemu = { path, version, ...(build !== undefined && { build }), size, mtimeMs }
  return { qemu, cpu: hostCpu(cpuinfo, accel) }
}

/** The VM that is booted for the template. `xcluster_template=1` tells init that it has no identity yet. */
export function templateVm(spec: TemplateSpec): Omit<VmSpec, 'qemu' | 'consoleLog'> {
  const { qemu, image: _, warmUp: __, added: ___, append = '', ...shared } = spec
  return {
    ...shared,
    ...(qemu.monitor && { monitor: qemu.monitor }),
    name: 'template',
    append: `${templateWord} ${append}`.trim(),
    nics: spec.nics.map(anonymous),
  }
}

/** The same NIC with a MAC that no node has, and a placeholder for each of its descriptors. */
function anonymous({ args }: Nic, index: number): Nic {
  const mac = `00:00:00:01:${index.toString(16).padStart(2, '0')}:00`
  const wanted = new Set(args.join(' ').match(/\{fd\d+\}/g))
  return {
    args: args.map(arg => arg.replace(/\bmac=[0-9a-f]{2}(:[0-9a-f]{2}){5}/i, `mac=${mac}`)),
    fds: Array.from(wanted, () => -1),
  }
}

/** The model of the first CPU in /proc/cpuinfo, with all of its features where the guest sees them. */
export function hostCpu(cpuinfo: string, accel: AccelKind): string {
  const names = ['vendor_id', 'cpu family', 'model', 'model name', 'stepping']
  const wanted = accel === 'kvm' ? [...names, 'flags'] : names
  return wanted.map(name => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(cpuinfo)?.[1] ?? '').join('/')
}

/**
 * Why this machine would never use a template with these facts, as half a sentence; undefined if it can. QEMU is compared
 * with the file of its path, and not run: the facts may come from elsewhere.
 */
export async function whyForeign({ qemu, cpu }: MachineFacts): Promise<string | undefined> {
  const file = await stat(qemu.path).catch(() => undefined)
  const name = [qemu.version, qemu.build && `(${qemu.build})`].filter(Boolean).join(' ')
  if (!file) return `it is for QEMU ${name}, and this machine has no ${qemu.path}`
  if (file.size !== qemu.size || file.mtimeMs !== qemu.mtimeMs)
    return `it is for QEMU ${name}, and ${qemu.path} on this machine is another`
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8')
  const isOurs = (['tcg', 'kvm'] as const).some(accel => hostCpu(cpuinfo, accel) === cpu)
  return isOurs ? undefined : `it is for another CPU: ${cpu.split('/')[3] || 'unknown'}`
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
