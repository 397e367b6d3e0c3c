import { fileURLToPath } from 'node:url'
import type { Nic } from '../base/index.ts'
import { buildImage, type GuestImage } from '../image/index.ts'
import type { NodePlan, Settings } from '../plan/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import { type Accel, detectAccel, findQemu, type Qemu, type VmSpec } from '../vm/index.ts'
import { identityOf } from './qemu-user.ts'

/** What all nodes stand on: the program that runs them, what executes them, what they boot. */
export interface HostResources {
  readonly qemu: Qemu
  readonly accel: Accel
  readonly image: GuestImage
}

export interface HostOptions {
  readonly cacheDir: string
  /** PATH: where QEMU is looked for. */
  readonly searchPath: string
  readonly notice: (text: string) => void
}

/** `guest/` of the project: as far from here in dist as in src. */
export const guestDir = fileURLToPath(new URL('../../guest', import.meta.url))

/** Finds or makes it all; says what is missing. */
export async function findHostResources(
  settings: Settings,
  { cacheDir, searchPath, notice }: HostOptions,
): Promise<HostResources> {
  const identity = identityOf(1, settings.uidBase)
  const finding = findQemu({ given: settings.kvm || undefined, searchPath, cacheDir })
  const [qemu, accel, image] = await Promise.all([
    finding,
    finding.then(qemu => detectAccel({ want: settings.accel, qemu, identity, cacheDir, notice })),
    buildImage({ kernel: settings.kernel || undefined, cacheDir, guestDir, notice }),
  ])
  return { qemu, accel, image }
}

/** Where a node's VM is; a template is nowhere. */
export interface Place {
  readonly nics: readonly Nic[]
  readonly namespace: NetNamespace | undefined
  readonly consoleLog: string
}

/** What users add to a node's kernel command line. The rest is ours, and a clone is told it when it wakes up. */
export function shapeAppend(node: number, settings: Settings): string {
  return [settings.append, settings[`append${node}`]].filter(Boolean).join(' ')
}

/** All that a node's VM is. It runs in the cluster's namespace, from where there is no way out. */
export function specOf<P extends Pick<Place, 'nics'>>(
  node: NodePlan,
  settings: Settings,
  { host, place }: { host: HostResources; place: P },
): Omit<VmSpec, keyof Place> & P {
  const { machine } = settings
  return {
    name: node.name,
    qemu: host.qemu.path,
    kernel: host.image.vmlinux,
    initramfs: host.image.initramfs,
    append: node.append,
    memoryMiB: node.memMiB,
    vcpus: node.vcpus,
    accel: host.accel.kind,
    ...(machine !== 'auto' && { machine }),
    identity: identityOf(node.id, settings.uidBase),
    extraArgs: settings.kvmOpt.split(/\s+/).filter(Boolean),
    ...place,
  }
}
