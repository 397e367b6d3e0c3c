import type { Nic } from '../base/index.ts'
import type { GuestImage } from '../image/index.ts'
import { appendedTo, type NodePlan, type Settings } from '../plan/index.ts'
import { type NetNamespace, requireTrustedPlace } from '../sys/index.ts'
import { type Accel, detectAccel, findQemu, type Qemu, type VmSpec } from '../vm/index.ts'
import { identityOf } from './qemu-user.ts'
import { openSoftware, type Software } from './software.ts'

/** What all nodes share: the QEMU that runs them and its accelerator; and what each boots. */
export interface HostResources {
  readonly qemu: Qemu
  readonly accel: Accel
  /** That of nodes without a kernel of their own. */
  readonly image: GuestImage
  software(node: number): Software
}

export interface HostOptions {
  readonly cacheDir: string
  /** PATH, to find QEMU. */
  readonly searchPath: string
  readonly notice: (text: string) => void
}

/** Finds QEMU and the accelerator, and finds or makes the image. Throws the first of what is missing. */
export async function findHostResources(
  settings: Settings,
  { cacheDir, searchPath, notice }: HostOptions,
): Promise<HostResources> {
  requireTrustedPlace('cache', cacheDir)
  const identity = identityOf(1, settings.uidBase)
  const finding = findQemu({ given: settings.kvm || undefined, searchPath, cacheDir })
  const [qemu, accel, software] = await Promise.all([
    finding,
    finding.then(qemu => detectAccel({ want: settings.accel, qemu, identity, cacheDir, notice })),
    openSoftware(settings, { cacheDir, notice, qemu: finding }),
  ])
  return { qemu, accel, image: software(0).image, software }
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
  return appendedTo(node, settings)
}

/** The specification of a node's VM. QEMU runs in the cluster's namespace, without a route to the host's network. */
export function specOf<P extends Pick<Place, 'nics'>>(
  node: NodePlan,
  settings: Settings,
  { host, place }: { host: HostResources; place: P },
): Omit<VmSpec, keyof Place> & P {
  const { machine } = settings
  const { image, root, disk } = host.software(node.id)
  const disks = disk?.bootable ? [] : [image.modulesDisk, root?.disk].filter(each => each !== undefined)
  return {
    name: node.name,
    qemu: host.qemu.path,
    ...(host.qemu.monitor && { monitor: host.qemu.monitor }),
    ...(!disk?.bootable && { kernel: image.vmlinux, initramfs: image.initramfs }),
    ...(disk && { bootDisk: disk }),
    ...(disks.length > 0 && { disks }),
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
