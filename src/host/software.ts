import { type Role, roleOf } from '../base/index.ts'
import { buildImage, type GuestImage } from '../image/index.ts'
import { type GuestRoot, openRoot } from '../overlay/index.ts'
import { nodesWith, type Settings, settingFor } from '../plan/index.ts'
import type { Qemu } from '../vm/index.ts'
import { DiskImages, type NodeDisk } from './disks.ts'
import { imageAndRoot, initMissing, tooSmallForInit } from './errors.ts'

/** What a node boots: a kernel with the project's image, and the root or the disk that the user brought, if any. */
export interface Software {
  readonly image: GuestImage
  readonly root?: GuestRoot
  readonly disk?: NodeDisk
}

interface SoftwareOptions {
  readonly qemu: Promise<Qemu>
  readonly cacheDir: string
  readonly notice: (text: string) => void
}

/** A Debian with systemd has 20 MiB left of these when it has started. */
const initMiB = 128

/** Stands for what a node boots. */
export function softwareKeys({ image, root, disk }: Software): string[] {
  return [image.key, root?.key, disk?.key].filter(key => key !== undefined)
}

/** Stands for the cluster: it has no role. */
const anyNode = 0
const roles: readonly Role[] = ['vm', 'router', 'tester']

/**
 * Finds or makes the kernels, images and roots of all nodes that the settings speak of. Throws the errors of
 * `buildImage`, `openRoot` and `openDiskImage`, DISK_REFUSED, IMAGE_AND_ROOT, INIT_MISSING and GUEST_TOO_SMALL.
 */
export async function openSoftware(
  settings: Settings,
  options: SoftwareOptions,
): Promise<(node: number) => Software> {
  const images = once((files: string) => {
    const [kernel, modules] = files.split('\0').map(path => path || undefined)
    return buildImage({ kernel, modules, ...options })
  })
  const roots = once((path: string) => openRoot(path, options))
  const disks = new DiskImages(settings, options.qemu)
  const open = async (node: number | Role): Promise<Software> => {
    const [image, root, disk] = await Promise.all([
      images(`${settingFor(settings, 'kernel', node)}\0${settingFor(settings, 'modules', node)}`),
      rootOf(settings, node, roots),
      disks.of(node),
    ])
    if (root && disk) throw imageAndRoot(root.path)
    return { image, ...(root && { root }), ...(disk && { disk }) }
  }
  const own = [
    anyNode,
    ...roles,
    ...nodesWith(settings, ['kernel', 'modules', 'rootfs', 'image', 'bootable', 'cidata', 'init', 'mem']),
  ]
  const found = new Map(await Promise.all(own.map(async node => [node, await open(node)] as const)))
  return node => found.get(node) ?? found.get(roleOf(node) ?? anyNode)!
}

async function rootOf(
  settings: Settings,
  node: number | Role,
  roots: (path: string) => Promise<GuestRoot>,
): Promise<GuestRoot | undefined> {
  const path = settingFor(settings, 'rootfs', node)
  const root = path ? await roots(path) : undefined
  if (settingFor(settings, 'init', node) === 'xcluster') return root
  // What an image has, only the guest can tell.
  if (!root?.hasInit && settingFor(settings, 'image', node) === '') throw initMissing(path)
  const mem = settingFor(settings, 'mem', node)
  if (mem < initMiB)
    throw tooSmallForInit(path || settingFor(settings, 'image', node), { mem, needed: initMiB })
  return root
}

/** Does the work once for each argument. */
function once<T>(work: (argument: string) => Promise<T>): (argument: string) => Promise<T> {
  const done = new Map<string, Promise<T>>()
  return argument => {
    const known = done.get(argument) ?? work(argument)
    done.set(argument, known)
    return known
  }
}
