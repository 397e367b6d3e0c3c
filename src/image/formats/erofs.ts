import { EncodeError } from '../../base/index.ts'
import { type ArchiveEntry, withParents } from './cpio.ts'
import { attributeBlock } from './erofs-attributes.ts'
import { block, directoryBlocks, type Inode, inodeBytes, putInode, slot } from './erofs-inode.ts'

/** The superblock is at 1024 and has 128 bytes; inodes follow it. */
const superblock = 1024
const firstInode = superblock + 128
/** Content up to this length follows its inode: one read for both. */
const inlineLimit = 1024

/**
 * A read-only file system, EROFS (Linux `fs/erofs/erofs_fs.h`), uncompressed: what mkfs.erofs(1) makes without options.
 * Owners, modes, times in seconds, links, devices and extended attributes are kept; entries that share one `content` object are hard links.
 * The same entries give the same bytes. Throws EncodeError for an entry below something that is not a directory, and for
 * what has no room.
 */
export function writeErofs(entries: readonly ArchiveEntry[]): Uint8Array {
  const inodes = treeOf(entries)
  const blocks = place(inodes)
  if (blocks > 0xffff_ffff / block) throw new EncodeError('file system', 'it is larger than 4 GiB')
  const image = new Uint8Array(blocks * block)
  const view = new DataView(image.buffer)
  putSuperblock(view, { inodes: inodes.length, blocks })
  for (const inode of inodes) {
    putInode(view, inode)
    image.set(inode.attributes, inode.number * slot + inodeBytes)
    if (inode.size === 0) continue
    const at = inode.at === undefined ? inode.number * slot + headBytes(inode) : inode.at * block
    image.set(contentOf(inode), at)
  }
  return image
}

const encoder = new TextEncoder()

/** All inodes, the root first, with the names in each directory. */
function treeOf(entries: readonly ArchiveEntry[]): Inode[] {
  const own = entries.find(({ path, kind }) => path === '' && kind === 'directory')
  const root = inodeOf(own ?? { path: '', kind: 'directory', mode: 0o755 })
  const byPath = new Map([['', root]])
  const byContent = new Map<Uint8Array, Inode>()
  for (const entry of withParents(entries.filter(({ path }) => path !== ''))) {
    const at = entry.path.lastIndexOf('/')
    const parent = byPath.get(entry.path.slice(0, Math.max(0, at)))!
    if (parent.entry.kind !== 'directory')
      throw new EncodeError(entry.path, `/${parent.entry.path} is not a directory`)
    const name = encoder.encode(entry.path.slice(at + 1))
    if (name.length > 255) throw new EncodeError(entry.path, 'its name is longer than 255 bytes')
    const inode = inodeFor(entry, byContent)
    inode.links++
    parent.names.push([name, inode])
    byPath.set(entry.path, inode)
    if (entry.kind === 'directory') addDots(inode, parent)
  }
  addDots(root, root)
  const inodes = [...new Set(byPath.values())]
  for (const { names } of inodes) names.sort(([a], [b]) => Buffer.compare(a, b))
  return inodes
}

function inodeOf(entry: ArchiveEntry): Inode {
  const attributes = attributeBlock(entry.path, entry.attributes)
  return { entry, attributes, names: [], size: 0, number: 0, at: undefined, links: 0 }
}

/** Files with one content object are one file with several names. */
function inodeFor(entry: ArchiveEntry, byContent: Map<Uint8Array, Inode>): Inode {
  if (entry.kind !== 'file' || entry.content.length === 0) return inodeOf(entry)
  const inode = byContent.get(entry.content) ?? inodeOf(entry)
  byContent.set(entry.content, inode)
  return inode
}

function addDots(inode: Inode, parent: Inode): void {
  inode.names.push([Uint8Array.of(0x2e), inode], [Uint8Array.of(0x2e, 0x2e), parent])
  inode.links++
  parent.links++
}

/** Gives each inode and its content their places. Returns the number of blocks of the image. */
function place(inodes: readonly Inode[]): number {
  let next = firstInode
  for (const inode of inodes) {
    inode.size = contentOf(inode).length
    const bytes = headBytes(inode) + (isInline(inode) ? inode.size : 0)
    if ((next % block) + bytes > block) next = Math.ceil(next / block) * block
    inode.number = next / slot
    next = Math.ceil((next + bytes) / slot) * slot
  }
  let at = Math.ceil(next / block)
  for (const inode of inodes) {
    if (inode.size === 0 || isInline(inode)) continue
    inode.at = at
    at += Math.ceil(inode.size / block)
  }
  return at
}

/** An inode with its attributes. */
function headBytes({ attributes }: Inode): number {
  return inodeBytes + attributes.length
}

function isInline({ size }: Inode): boolean {
  return size <= inlineLimit
}

function contentOf({ entry, names }: Inode): Uint8Array {
  if (entry.kind === 'directory') return directoryBlocks(names)
  if (entry.kind === 'link') return encoder.encode(entry.target)
  return entry.kind === 'file' ? entry.content : new Uint8Array(0)
}

/** `struct erofs_super_block`. */
function putSuperblock(image: DataView, { inodes, blocks }: { inodes: number; blocks: number }): void {
  const put32 = (at: number, value: number) => image.setUint32(superblock + at, value, true)
  put32(0, 0xe0f5_e1e2)
  put32(8, 2) // times are those of the last change
  image.setUint8(superblock + 12, Math.log2(block))
  image.setUint16(superblock + 14, firstInode / slot, true)
  image.setBigUint64(superblock + 16, BigInt(inodes), true)
  put32(36, blocks)
}
