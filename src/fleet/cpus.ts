import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import type { HostStatus } from '../api/index.ts'
import type { Settings } from '../plan/index.ts'
import { hostCpu } from '../vm/index.ts'

/** A host's CPU, as far as it decides where saved guests can go on. */
export interface Cpu {
  /** `AMD EPYC 7763 64-Core Processor` */
  readonly model: string
  /** A digest of all that must be equal: its model, and with KVM its features. */
  readonly key: string
}

/** This host's. */
export function cpuHere({ accel }: Pick<Settings, 'accel'>): Cpu {
  const text = hostCpu(readFileSync('/proc/cpuinfo', 'utf8'), usesKvm(accel) ? 'kvm' : 'tcg')
  const key = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return { model: text.split('/')[3] || 'unknown', key }
}

/** Whether guests see this CPU's features. A guess from the device: each host asks its QEMU later. */
function usesKvm(accel: Settings['accel']): boolean {
  if (accel !== 'auto') return accel === 'kvm'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The hosts as a status has them. Those with one model and other features are told apart by a digest. */
export function hostsWith(hosts: readonly { readonly cpu: Cpu }[], peers: readonly string[]): HostStatus[] {
  const cpus = hosts.map(({ cpu }) => cpu)
  const keys = (model: string) => new Set(cpus.flatMap(cpu => (cpu.model === model ? [cpu.key] : []))).size
  return cpus.map(({ model, key }, host) => ({
    ...{ host, name: peers[host]! },
    cpu: keys(model) > 1 ? `${model} (features ${key})` : model,
  }))
}

/** A sentence about hosts with different CPUs. Undefined: they are all alike. */
export function cpusDiffer(hosts: readonly HostStatus[]): string | undefined {
  const kinds = new Map<string, string[]>()
  for (const { host, cpu } of hosts) kinds.set(cpu, [...(kinds.get(cpu) ?? []), `${host}`])
  if (kinds.size < 2) return undefined
  const list = [...kinds].map(([cpu, on]) => `${cpu} (host ${on.join(', ')})`).join('; ')
  return (
    `the hosts have different CPUs: ${list}. Saved guests hold for one CPU: each kind makes templates of its own, and ` +
    'takes no snapshot of another. A feature that only hosts of one kind have asks an engine for them alone ' +
    '(of Slurm: a constraint)'
  )
}
