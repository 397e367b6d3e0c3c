import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DecodeError, reasonOf, settingText } from '../base/index.ts'
import { diskKind, fingerprint, type Qcow2Header, readQcow2Header } from '../image/index.ts'
import { diskUnusable, OverlayError } from './errors.ts'

/** A file of a disk image. All VMs read it, and none writes to it. */
export interface DiskFile {
  readonly path: string
  readonly format: 'qcow2' | 'raw'
  /** The file with its content, where that is apart (qcow2). */
  readonly dataFile?: string
}

/** A disk image that a user brought, checked by its headers. */
export interface DiskImage {
  /** The image, its backing file, the backing file of that, and so on. */
  readonly files: readonly DiskFile[]
  /** Bytes of the disk: a multiple of 512. */
  readonly size: number
  /** Stands for its content: all files, by `stat`. */
  readonly key: string
}

export interface DiskOptions {
  /** It may name other files: a backing file, or one with its data. */
  readonly trustBacking: boolean
  /** It must have a boot sector, as far as that can be told. */
  readonly bootable: boolean
}

/** As many backing files as an image may have, one behind the other. */
const mostFiles = 16
/** The largest cluster of qcow2, which holds its header and all names. */
const headBytes = 2 ** 21
const sector = 512

/**
 * Checks a disk image, and names the files that QEMU is to open. QEMU itself is never left to guess a format, or to open a
 * file that an image names: an image from elsewhere could name any file of this machine. Throws DISK_UNUSABLE.
 */
export async function openDiskImage(path: string, options: DiskOptions): Promise<DiskImage> {
  const files: DiskFile[] = []
  let size: number | undefined
  let next: Named | undefined = { path: resolve(path) }
  while (next) {
    if (files.length === mostFiles)
      throw diskUnusable(path, `it has more than ${mostFiles - 1} backing files`)
    const { file, size: own, backing }: Checked = await check(next, { ...options, image: path })
    files.push(file)
    size ??= own
    next = backing
  }
  const all = files.flatMap(({ path: each, dataFile }) => [
    each,
    ...(dataFile === undefined ? [] : [dataFile]),
  ])
  const hash = createHash('sha256').update(JSON.stringify(all.map(each => [each, fingerprint(each)])))
  return { files, size: Math.ceil(size! / sector) * sector, key: hash.digest('hex').slice(0, 32) }
}

/** A file, and its format where the image that names it says so. */
interface Named {
  readonly path: string
  readonly format?: string | undefined
}

interface Checked {
  readonly file: DiskFile
  readonly size: number
  readonly backing: Named | undefined
}

interface Checking extends DiskOptions {
  /** The path of the image as it was given. */
  readonly image: string
}

async function check({ path, format }: Named, checking: Checking): Promise<Checked> {
  const refuse = refusing(path, checking)
  const { start, size } = await beginning(path, refuse)
  if (size === 0) throw refuse('it is empty')
  if (format === 'raw') return { file: { path, format }, size, backing: undefined }
  const found = diskKind(start)
  if (found.kind === 'other') throw refuse(`it is ${found.name}`, found.advice)
  if (found.kind === 'qcow2')
    return checkQcow2(path, readHeader(start, size, refuse), { ...checking, refuse })
  if (found.kind === 'unknown') throw refuse('it has neither a file system nor a boot sector', anImage)
  if (checking.bootable && !found.boots)
    throw refuse('it has no boot sector', `Boot a kernel with it: omit ${settingText('bootable')}`)
  return { file: { path, format: 'raw' }, size, backing: undefined }
}

const anImage = 'Give a qcow2 or raw image of a disk'

type Refuse = (reason: string, remedy?: string) => OverlayError

/** A file that an image names is refused by its own path, with the image that led to it. */
function refusing(path: string, { image }: Checking): Refuse {
  const behind = path === resolve(image) ? '' : `${path}, which it names: `
  return (reason, remedy = anImage) => diskUnusable(image, `${behind}${reason}`, { remedy })
}

function readHeader(start: Uint8Array, size: number, refuse: Refuse): Qcow2Header {
  try {
    return readQcow2Header(start, size)
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure
    throw refuse(`its qcow2 header is damaged or cut off: ${failure.reason}`, 'Fetch or convert it again')
  }
}

function checkQcow2(
  path: string,
  header: Qcow2Header,
  { refuse, trustBacking }: Checking & { readonly refuse: Refuse },
): Checked {
  const { size, backingFile, backingFormat, hasDataFile, dataFile, unknownFeatures } = header
  if (header.isEncrypted) throw refuse('it is encrypted', 'Convert it to one that is not: qemu-img convert')
  if (header.isCorrupt)
    throw refuse('it is marked as corrupt', 'Repair a copy of it: qemu-img check -r all FILE')
  if (unknownFeatures.length > 0)
    throw refuse(`it needs features that are not known here: bits ${unknownFeatures.join(', ')}`)
  if (size === 0) throw refuse('its disk has no bytes')
  const trust = `If you trust it: ${settingText('trustBacking')}. Or make it whole: qemu-img convert -O qcow2 FILE NEW.qcow2`
  if (backingFile !== undefined && !trustBacking) throw refuse(`it has a backing file, ${backingFile}`, trust)
  if (hasDataFile && !trustBacking)
    throw refuse(`its content is in another file, ${dataFile ?? 'without a name'}`, trust)
  const beside = (name: string) => resolve(dirname(path), plainName(name, refuse))
  if (hasDataFile && dataFile === undefined)
    throw refuse('its content is in another file that it does not name')
  return {
    file: { path, format: 'qcow2', ...(hasDataFile && { dataFile: beside(dataFile!) }) },
    size,
    backing: backingFile === undefined ? undefined : { path: beside(backingFile), format: backingFormat },
  }
}

/** `json:{…}`, `nbd://…` and the like are not files (QEMU `docs/system/qemu-block-drivers.rst.inc`). */
function plainName(name: string, refuse: Refuse): string {
  if (!/^[a-z0-9+.-]+:/i.test(name)) return name
  throw refuse(`it names ${name}, which is not a file`)
}

async function beginning(path: string, refuse: Refuse): Promise<{ start: Uint8Array; size: number }> {
  try {
    await using file = await openFile(path)
    const stat = await file.stat()
    if (stat.isDirectory())
      throw refuse('it is a directory', `A directory is a root: ${settingText('rootfs')}`)
    if (!stat.isFile()) throw refuse('it is not a file')
    const start = Buffer.alloc(Math.min(headBytes, stat.size))
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return { start: start.subarray(0, bytesRead), size: stat.size }
  } catch (failure) {
    throw failure instanceof OverlayError ? failure : refuse(reasonOf(failure))
  }
}

/** A FIFO would make open(2) wait for its other end. */
function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK)
}
