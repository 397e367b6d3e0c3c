import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cache, type CacheEntry, sha256Of } from './cache.ts'
import { decoding } from './errors.ts'
import { extractVmlinux } from './formats/bzimage.ts'
import { type ArchiveEntry, writeCpio } from './formats/cpio.ts'
import { Inputs } from './inputs.ts'
import { ANOTHER_KERNEL, findKernel, type KernelFiles } from './kernel/kernel.ts'
import { BOOT_MODULES, OTHER_MODULES } from './kernel/module-lists.ts'
import { type KernelModule, ModuleTree } from './kernel/modules.ts'
import { type Contents, collectContents } from './rootfs/contents.ts'

/** Part of every key: incremented when the same inputs would give other bytes. */
const FORMAT = 2

/** The path is the same from dist as from src. */
const built = fileURLToPath(new URL('../../build/Release/xcluster-guest', import.meta.url))

export interface ImageOptions {
  /** A kernel image, or a directory with one. Default: the newest kernel of the sysroots. */
  readonly kernel?: string | undefined
  /** `$XDG_CACHE_HOME/xcluster`. Images are in `images/` below it. */
  readonly cacheDir: string
  /** The project's `guest/`. */
  readonly guestDir: string
  /**
   * Directories with kernels, programs and libraries; the first one with a file is used. Default: the
   * packages that set-up fetched, then `/`.
   */
  readonly sysroots?: readonly string[]
  /** The xcluster-guest program. Default: the one built with the addon. */
  readonly program?: string
  readonly notice?: (text: string) => void
}

/** The files that QEMU boots. They are in the cache and must not be written to. */
export interface GuestImage {
  readonly kernelVersion: string
  readonly vmlinux: string
  readonly initramfs: string
  /** The names of all kernel modules in the image. */
  readonly modules: readonly string[]
  readonly hasTelnetd: boolean
  readonly hasDropbear: boolean
  /** Hash of everything that the image is made from. */
  readonly key: string
}

type Facts = Pick<GuestImage, 'kernelVersion' | 'modules' | 'hasTelnetd' | 'hasDropbear'>

/** The default guest image for these options: from the cache when its inputs are unchanged, otherwise built. */
export async function buildImage(options: ImageOptions): Promise<GuestImage> {
  const sysroots = options.sysroots ?? [join(options.cacheDir, 'fetched/root'), '/']
  const cache = new Cache(join(options.cacheDir, 'images'))
  const kernel = options.kernel === undefined ? undefined : resolve(options.kernel)
  const request = JSON.stringify([
    FORMAT,
    kernel,
    resolve(options.guestDir),
    options.program ?? built,
    sysroots.map(root => resolve(root)),
  ])
  const recalled = cache.recall(request)
  if (recalled) return imageOf(recalled)

  const inputs = new Inputs()
  const files = await findKernel({ kernel, searchDirs: sysroots, inputs })
  const modules = await loadModules(files, inputs)
  const contents = await collectContents({
    inputs,
    sysroots,
    guestDir: options.guestDir,
    program: options.program ?? built,
    kernelVersion: files.version,
    modules,
  })
  const bzImage = await inputs.read(files.image)
  const key = keyOf(bzImage, contents.entries)
  const entry =
    (await cache.find(key)) ?? (await build(cache, { key, files, bzImage, contents, modules, options }))
  await cache.remember(request, entry, inputs.fingerprints())
  return imageOf(entry)
}

async function loadModules(files: KernelFiles, inputs: Inputs): Promise<KernelModule[]> {
  const tree = await ModuleTree.open(files.modulesDir, inputs)
  const boot = await tree.resolve(BOOT_MODULES)
  const names = new Set(boot.map(module => module.name))
  const others = await tree.resolve(OTHER_MODULES, { optional: true })
  return [...boot, ...others.filter(module => !names.has(module.name))]
}

/** Hashes the inputs, not the output: it is known before anything is unpacked. */
function keyOf(bzImage: Uint8Array, entries: readonly ArchiveEntry[]): string {
  const hash = createHash('sha256').update(`${FORMAT}\n${sha256Of(bzImage)}\n`)
  for (const entry of entries) {
    const { content, ...rest } = entry.kind === 'file' ? entry : { ...entry, content: undefined }
    hash.update(`${JSON.stringify(rest)}${content ? sha256Of(content) : ''}\n`)
  }
  return hash.digest('hex').slice(0, 32)
}

interface Making {
  readonly key: string
  readonly files: KernelFiles
  readonly bzImage: Uint8Array
  readonly contents: Contents
  readonly modules: readonly KernelModule[]
  readonly options: ImageOptions
}

async function build(cache: Cache, making: Making): Promise<CacheEntry> {
  const { files, contents, modules, options } = making
  options.notice?.(`building the guest image for Linux ${files.version}`)
  const facts: Facts = {
    kernelVersion: files.version,
    modules: modules.map(module => module.name),
    hasTelnetd: contents.hasTelnetd,
    hasDropbear: contents.hasDropbear,
  }
  const vmlinux = await unpackKernel(files.image, making.bzImage)
  return cache.store(making.key, { vmlinux, initramfs: writeCpio(contents.entries) }, facts)
}

function unpackKernel(image: string, bytes: Uint8Array): Promise<Uint8Array> {
  const damaged = {
    code: 'KERNEL_DAMAGED',
    kind: 'prerequisite',
    op: 'unpack kernel',
    target: image,
    remedy: ANOTHER_KERNEL,
  } as const
  return decoding(damaged, () => extractVmlinux(bytes))
}

function imageOf({ key, dir, facts }: CacheEntry): GuestImage {
  return { ...(facts as Facts), key, vmlinux: join(dir, 'vmlinux'), initramfs: join(dir, 'initramfs') }
}
