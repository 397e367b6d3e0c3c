import { dirname, join, resolve } from 'node:path'
import { isSystemError, messageOf } from '../../base/index.ts'
import { decoding, ImageError } from '../errors.ts'
import { kernelVersion } from '../formats/bzimage.ts'
import type { Inputs } from '../inputs.ts'

/** The remedy for an unusable kernel. */
export const ANOTHER_KERNEL = 'Give another kernel with --kernel, or run "npm run setup" and omit --kernel'

/** A kernel of this machine, with its modules. */
export interface KernelFiles {
  /** In the form of `uname -r`. */
  readonly version: string
  /** A bzImage, or a vmlinux. */
  readonly image: string
  readonly modulesDir: string
}

export interface KernelSearch {
  /** A kernel image, or a directory with one: `…/vmlinuz-*`, `…/boot/vmlinuz-*`. */
  readonly kernel?: string | undefined
  /** The directories to search, in this order: `boot/vmlinuz-*` with `lib/modules/<version>`. */
  readonly searchDirs: readonly string[]
  readonly inputs: Inputs
}

/** The requested kernel, or else the newest kernel with modules in the first directory that has one. */
export async function findKernel(search: KernelSearch): Promise<KernelFiles> {
  const images = search.kernel ? await imagesAt(resolve(search.kernel), search) : await imagesIn(search)
  let failure: unknown
  for (const image of images) {
    try {
      return await openKernel(image, search)
    } catch (reason) {
      if (!(reason instanceof ImageError)) throw reason
      failure ??= reason
    }
  }
  throw failure ?? noKernel(search)
}

async function imagesIn({ searchDirs, inputs }: KernelSearch): Promise<string[]> {
  const lists = await Promise.all(searchDirs.map(root => kernelsIn(join(root, 'boot'), inputs)))
  return lists.flat()
}

async function imagesAt(path: string, { inputs }: KernelSearch): Promise<string[]> {
  if (!inputs.has(path)) return []
  const inside = await Promise.all([path, join(path, 'boot')].map(dir => kernelsIn(dir, inputs)))
  const images = inside.flat()
  return images.length === 0 && !inputs.isDirectory(path) ? [path] : images
}

/** The kernels in one directory, newest first. */
async function kernelsIn(dir: string, inputs: Inputs): Promise<string[]> {
  const names = (await inputs.list(dir)).filter(name => /^(vmlinuz|vmlinux|bzImage)(-|$)/.test(name))
  const newestFirst = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true })
  return names.sort(newestFirst).map(name => join(dir, name))
}

async function openKernel(image: string, search: KernelSearch): Promise<KernelFiles> {
  const version = await readKernel(image, search.inputs)
  const dir = dirname(image)
  const roots = [dirname(dir), dir, ...search.searchDirs]
  const candidates = roots.flatMap(root =>
    ['lib/modules', 'usr/lib/modules'].map(lib => join(root, lib, version)),
  )
  const modulesDir = candidates.find(path => search.inputs.has(path))
  if (modulesDir) return { version, image, modulesDir }
  throw new ImageError({
    code: 'KERNEL_MODULES_MISSING',
    kind: 'prerequisite',
    op: 'use kernel',
    target: image,
    reason: `its modules, lib/modules/${version}, are neither beside it nor in ${search.searchDirs.join(', ')}`,
    remedy: 'Install the modules of this kernel, or run "npm run setup" and omit --kernel',
  })
}

/** The version of the kernel in a file. */
async function readKernel(image: string, inputs: Inputs): Promise<string> {
  const about = { kind: 'prerequisite', op: 'read kernel', target: image } as const
  const bytes = await inputs.read(image).catch(failure => {
    const remedy = isSystemError(failure, 'EACCES', 'EPERM')
      ? `Run "sudo chmod a+r ${image}", or run "npm run setup" and omit --kernel`
      : ANOTHER_KERNEL
    throw new ImageError({
      ...about,
      code: 'KERNEL_UNREADABLE',
      reason: messageOf(failure),
      remedy,
      cause: failure,
    })
  })
  return decoding({ ...about, code: 'KERNEL_DAMAGED', remedy: ANOTHER_KERNEL }, () => kernelVersion(bytes))
}

function noKernel({ kernel, searchDirs }: KernelSearch): ImageError {
  return new ImageError({
    code: 'KERNEL_MISSING',
    kind: kernel ? 'usage' : 'prerequisite',
    op: 'find a kernel in',
    target: kernel ?? searchDirs.map(root => join(root, 'boot')).join(', '),
    reason: kernel ? 'it has no kernel image' : 'no file vmlinuz-* exists',
    remedy: kernel
      ? 'Give the path of a kernel image, or of a directory with one'
      : 'Run "npm run setup", or give a kernel with --kernel',
  })
}
