import { fileURLToPath } from 'node:url'
import type { Nic } from '../base/index.ts'
import { buildImage, type GuestImage } from '../image/index.ts'
import type { NodePlan, Settings } from '../plan/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import { type Accel, detectAccel, findQemu, type Qemu, type VmSpec } from '../vm/index.ts'
import { identityOf } from './qemu-user.ts'

/** What all nodes share: the QEMU that runs them, its accelerator, and the guest image. */
export interface HostResources {
  readonly qemu: Qemu
  readonly accel: Accel
  readonly image: GuestImage
}

export interface HostOptions {
  readonly cacheDir: string
  /** PATH, to find QEMU. */
  readonly searchPath: string
  readonly notice: (text: string) => void
}

/** The project's `guest/`. The relative path is the same from dist as from src. */
export const guestDir = fileURLToPath(new URL('../../guest', import.meta.url))

/** Finds QEMU and the accelerator, and finds or makes the image. Throws the first of what is missing. */
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

/** What a VM of a node has and a template does not. */
export interface Place {
  readonly nics: readonly Nic[]
  readonly namespace: NetNamespace | undefined
  readonly consoleLog: string
}

/**
 * What the user adds to a node's kernel command line. A template boots with it. The rest of the command line is
 * the project's, and a clone gets it by its configuration.
 */
export function shapeAppend(node: number, settings: Settings): string {
  return [settings.append, settings[`append${node}`]].filter(Boolean).join(' ')
}

/** The specification of a node's VM. QEMU runs in the cluster's namespace, without a route to the host's network. */
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
