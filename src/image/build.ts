import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { artefact, packageRoot } from '../sys/index.ts'
import { Cache, type CacheEntry, sha256Of } from './cache.ts'
import { decoding } from './errors.ts'
import { extractVmlinux } from './formats/bzimage.ts'
import { type ArchiveEntry, writeCpio } from './formats/cpio.ts'
import { Inputs } from './inputs.ts'
import { builtIn, withoutModules } from './kernel/built-in.ts'
import { ANOTHER_KERNEL, findKernel, type KernelFiles } from './kernel/kernel.ts'
import { BOOT_MODULES, DISK_MODULES } from './kernel/module-lists.ts'
import { ModuleTree } from './kernel/modules.ts'
import { modulesDisk, modulesSerial } from './kernel/modules-disk.ts'
import { type Contents, collectContents } from './rootfs/contents.ts'

/** Part of every key: incremented when the same inputs would give other bytes. */
const FORMAT = 4

export interface ImageOptions {
  /** A kernel image, or a directory with one. Default: the newest kernel of the sysroots. */
  readonly kernel?: string | undefined
  /** The modules of that kernel: `lib/modules/<version>`, or a directory that has this. Default: they are searched. */
  readonly modules?: string | undefined
  /** `$XDG_CACHE_HOME/xcluster`. Images are in `images/` below it. */
  readonly cacheDir: string
  /** Scripts and settings of the guest. Default: this package's `guest/`. */
  readonly guestDir?: string
  /**
   * Directories with kernels, programs and libraries; the first one with a file is used. Default: the
   * packages that set-up fetched, then `/`.
   */
  readonly sysroots?: readonly string[]
  /** The xcluster-guest program. Default: this package's. */
  readonly program?: string
  readonly notice?: (text: string) => void
}

/** The files that QEMU boots. They are in the cache and must not be written to. */
export interface GuestImage {
  readonly kernelVersion: string
  readonly vmlinux: string
  readonly initramfs: string
  /** A disk with all modules of the kernel. Absent when the kernel has no way to read one. */
  readonly modulesDisk?: { readonly path: string; readonly serial: string }
  /** The names of all kernel modules that guests have. */
  readonly modules: readonly string[]
  readonly hasTelnetd: boolean
  readonly hasDropbear: boolean
  /** Hash of everything that the image is made from. */
  readonly key: string
}

type Facts = Pick<GuestImage, 'kernelVersion' | 'modules' | 'hasTelnetd' | 'hasDropbear'> & {
  readonly hasDisk: boolean
}

/** The default guest image for these options: from the cache when its inputs are unchanged, otherwise built. */
export async function buildImage(options: ImageOptions): Promise<GuestImage> {
  const sysroots = options.sysroots ?? [join(options.cacheDir, 'fetched/root'), '/']
  const program = options.program ?? artefact('xcluster-guest')
  const guestDir = options.guestDir ?? `${packageRoot()}guest`
  const cache = new Cache(join(options.cacheDir, 'images'))
  const { kernel, modules } = absolute(options)
  const request = JSON.stringify([
    FORMAT,
    kernel,
    modules,
    resolve(guestDir),
    program,
    sysroots.map(root => resolve(root)),
  ])
  const recalled = cache.recall(request)
  if (recalled) return imageOf(recalled)

  const inputs = new Inputs()
  const files = await findKernel({ kernel, modules, searchDirs: sysroots, inputs })
  const bzImage = await inputs.read(files.image)
  const tree = await treeOf(files, { bzImage, inputs })
  const contents = await collectContents({
    inputs,
    sysroots,
    guestDir,
    program,
    kernelVersion: files.version,
    modules: await tree.resolve([...BOOT_MODULES, ...(isReadable(tree) ? DISK_MODULES : [])]),
    builtin: tree.builtin,
  })
  const disk = await diskOf(tree, files, options)
  const key = keyOf(bzImage, contents.entries, disk?.image)
  const entry =
    (await cache.find(key)) ?? (await build(cache, { key, files, bzImage, contents, disk, options }))
  await cache.remember(request, entry, inputs.fingerprints())
  return imageOf(entry)
}

function absolute({ kernel, modules }: ImageOptions): Pick<ImageOptions, 'kernel' | 'modules'> {
  const path = (given: string | undefined) => (given === undefined ? undefined : resolve(given))
  return { kernel: path(kernel), modules: path(modules) }
}

/** The kernel's modules, or what it has built in when it has none. */
async function treeOf(
  { image, version, modulesDir }: KernelFiles,
  { bzImage, inputs }: { bzImage: Uint8Array; inputs: Inputs },
): Promise<ModuleTree> {
  if (modulesDir !== undefined) return ModuleTree.open(modulesDir, inputs)
  const found = builtIn(await unpackKernel(image, bzImage))
  const lacking = BOOT_MODULES.filter(name => !found.includes(name))
  if (lacking.length > 0) throw withoutModules(image, { version, lacking })
  return ModuleTree.builtIn(found, inputs)
}

type Disk = Awaited<ReturnType<typeof modulesDisk>>

/** A kernel that cannot read the disk leaves its guests with the modules that they boot with. */
function diskOf(tree: ModuleTree, files: KernelFiles, { notice }: ImageOptions): Promise<Disk> | undefined {
  if (isReadable(tree)) return modulesDisk(tree)
  notice?.(
    `guests have few modules: Linux ${files.version} lacks ${DISK_MODULES.join(' or ')}, which read the others`,
  )
  return undefined
}

function isReadable(tree: ModuleTree): boolean {
  return DISK_MODULES.every(name => tree.has(name))
}

/** Hashes the inputs, not the output: it is known before anything is unpacked. */
function keyOf(bzImage: Uint8Array, entries: readonly ArchiveEntry[], disk?: Uint8Array): string {
  const hash = createHash('sha256').update(`${FORMAT}\n${sha256Of(bzImage)}\n`)
  if (disk) hash.update(disk)
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
  readonly disk: Disk | undefined
  readonly options: ImageOptions
}

async function build(cache: Cache, making: Making): Promise<CacheEntry> {
  const { files, contents, disk, options } = making
  options.notice?.(`building the guest image for Linux ${files.version}`)
  const facts: Facts = {
    kernelVersion: files.version,
    modules: disk?.names ?? BOOT_MODULES,
    hasDisk: disk !== undefined,
    hasTelnetd: contents.hasTelnetd,
    hasDropbear: contents.hasDropbear,
  }
  const vmlinux = await unpackKernel(files.image, making.bzImage)
  const parts = { vmlinux, initramfs: writeCpio(contents.entries), ...(disk && { [diskName]: disk.image }) }
  return cache.store(making.key, parts, facts)
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

const diskName = 'modules.iso'

function imageOf({ key, dir, facts }: CacheEntry): GuestImage {
  const { hasDisk, ...told } = facts as Facts
  const modulesDisk = { path: join(dir, diskName), serial: modulesSerial }
  const files = { vmlinux: join(dir, 'vmlinux'), initramfs: join(dir, 'initramfs') }
  return { ...told, key, ...files, ...(hasDisk && { modulesDisk }) }
}
