import { basename, dirname, join, resolve } from 'node:path'
import { isSystemError, reasonOf, settingText } from '../../base/index.ts'
import { decoding, ImageError } from '../errors.ts'
import { kernelVersion } from '../formats/bzimage.ts'
import type { Inputs } from '../inputs.ts'
import { ModuleTree } from './modules.ts'

/** The remedy for an unusable kernel. */
export const ANOTHER_KERNEL = `Give another ${settingText('kernel')}, or run "npx xc setup" and omit it`

/** A kernel of this machine, with its modules. */
export interface KernelFiles {
  /** In the form of `uname -r`. */
  readonly version: string
  /** A bzImage, or a vmlinux. */
  readonly image: string
  /** Absent: it has none, and must have built in what guests need. */
  readonly modulesDir?: string
}

export interface KernelSearch {
  /** A kernel image, or a directory with one: `…/vmlinuz-*`, or as in `searchDirs`. */
  readonly kernel?: string | undefined
  /** Its modules: `lib/modules/<version>`, or a directory that has this. Default: beside it, or in `searchDirs`. */
  readonly modules?: string | undefined
  /** The directories to search, in this order: `boot/vmlinuz-*` with `lib/modules/<version>`, which may have `vmlinuz`. */
  readonly searchDirs: readonly string[]
  readonly inputs: Inputs
}

/**
 * The requested kernel, or else the newest kernel with modules in the first directory that has one. A requested one may
 * have no modules.
 */
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
  if (
    search.kernel &&
    !search.modules &&
    failure instanceof ImageError &&
    failure.code === 'KERNEL_MODULES_MISSING'
  )
    return { version: await readKernel(images[0]!, search.inputs), image: images[0]! }
  throw failure ?? noKernel(search)
}

async function imagesIn({ searchDirs, inputs }: KernelSearch): Promise<string[]> {
  const lists = await Promise.all(searchDirs.map(root => kernelsBelow(root, inputs)))
  return lists.flat()
}

async function imagesAt(path: string, { inputs }: KernelSearch): Promise<string[]> {
  if (!inputs.has(path)) return []
  const inside = [...newestFirst(await kernelsIn(path, inputs)), ...(await kernelsBelow(path, inputs))]
  return inside.length === 0 && !inputs.isDirectory(path) ? [path] : inside
}

/**
 * The kernels of a root directory, newest first: those in `boot`, and those that lie among their modules, as Debian
 * ships them since 7.2 and others for longer.
 */
async function kernelsBelow(root: string, inputs: Inputs): Promise<string[]> {
  const trees = await Promise.all(
    moduleFolders.map(async folder =>
      (await inputs.list(join(root, folder))).map(version => join(root, folder, version)),
    ),
  )
  const places = [join(root, 'boot'), ...trees.flat()]
  return newestFirst((await Promise.all(places.map(dir => kernelsIn(dir, inputs)))).flat())
}

const moduleFolders = ['lib/modules', 'usr/lib/modules']

async function kernelsIn(dir: string, inputs: Inputs): Promise<string[]> {
  const names = (await inputs.list(dir)).filter(name => /^(vmlinuz|vmlinux|bzImage)(-|$)/.test(name))
  return names.map(name => join(dir, name))
}

/** By the version in the name of the file, or of its directory: `vmlinuz-6.1`, `6.1/vmlinuz`. */
function newestFirst(images: string[]): string[] {
  const label = (image: string) => {
    const name = basename(image)
    return name.includes('-') ? name : `${name}-${basename(dirname(image))}`
  }
  return images.sort((a, b) => label(b).localeCompare(label(a), 'en', { numeric: true }))
}

async function openKernel(image: string, search: KernelSearch): Promise<KernelFiles> {
  const version = await readKernel(image, search.inputs)
  if (search.modules) return { version, image, modulesDir: await modulesAt(search.modules, version, search) }
  const dir = dirname(image)
  const roots = [dirname(dir), dir, ...search.searchDirs]
  const around = roots.flatMap(root => moduleFolders.map(folder => join(root, folder, version)))
  const own = search.inputs.has(join(dir, 'modules.order')) ? [dir] : []
  const modulesDir = [...own, ...around].find(path => search.inputs.has(path))
  if (modulesDir) return { version, image, modulesDir }
  throw new ImageError({
    code: 'KERNEL_MODULES_MISSING',
    kind: 'prerequisite',
    op: 'use kernel',
    target: image,
    reason: `its modules, lib/modules/${version}, are neither beside it nor in ${search.searchDirs.join(', ')}`,
    remedy: `Install the modules of this kernel, or run "npx xc setup" and omit ${settingText('kernel')}`,
  })
}

/** The modules for this version in a given directory. Throws KERNEL_MODULES_FOREIGN when they are for another. */
async function modulesAt(given: string, version: string, { inputs }: KernelSearch): Promise<string> {
  const whole = resolve(given)
  const folders = ['', ...moduleFolders].map(folder => join(whole, folder))
  const inside = folders.map(folder => join(folder, version)).find(path => inputs.has(path))
  if (inside) return inside
  const [other] = inputs.has(join(whole, 'modules.order'))
    ? [await versionOfTree(whole, inputs)]
    : (await Promise.all(folders.map(folder => treesIn(folder, inputs)))).flat()
  if (other === version) return whole
  throw new ImageError({
    code: 'KERNEL_MODULES_FOREIGN',
    kind: 'usage',
    op: 'use kernel modules',
    target: given,
    reason: other ? `they are for Linux ${other}, and the kernel is ${version}` : 'it has no modules',
    remedy: `Give lib/modules/${version}, or omit ${settingText('modules')}`,
  })
}

async function treesIn(folder: string, inputs: Inputs): Promise<string[]> {
  const names = await inputs.list(folder)
  return names.filter(name => inputs.has(join(folder, name, 'modules.order')))
}

/** The version for which a tree's first module was made, which the kernel compares when it loads one. */
async function versionOfTree(dir: string, inputs: Inputs): Promise<string> {
  const [module] = await (await ModuleTree.open(dir, inputs)).all(1)
  return module?.kernelVersion ?? basename(dir)
}

/** The version of the kernel in a file. */
async function readKernel(image: string, inputs: Inputs): Promise<string> {
  const about = { kind: 'prerequisite', op: 'read kernel', target: image } as const
  const bytes = await inputs.read(image).catch(failure => {
    const remedy = isSystemError(failure, 'EACCES', 'EPERM')
      ? `Run "sudo chmod a+r ${image}", or run "npx xc setup" and omit ${settingText('kernel')}`
      : ANOTHER_KERNEL
    throw new ImageError({
      ...about,
      code: 'KERNEL_UNREADABLE',
      reason: reasonOf(failure),
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
    target: kernel ?? searchDirs.flatMap(root => [join(root, 'boot'), join(root, 'lib/modules')]).join(', '),
    reason: kernel ? 'it has no kernel image' : 'no file vmlinuz-* or VERSION/vmlinuz exists',
    remedy: kernel
      ? 'Give the path of a kernel image, or of a directory with one'
      : `Run "npx xc setup", or give a ${settingText('kernel')}`,
  })
}
