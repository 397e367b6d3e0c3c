import type { ArchiveEntry } from './cpio.ts'
import { attributeCount } from './erofs-attributes.ts'

export const block = 4096
/** Bytes of an extended inode. Two slots, in which inodes are counted. */
export const inodeBytes = 64
export const slot = 32

/** A file, directory, link or device with its place in the image. Hard links to a file are one of these. */
export interface Inode {
  readonly entry: ArchiveEntry
  /** They follow the inode. */
  readonly attributes: Uint8Array
  /** Of a directory: its names, in the order of their bytes, `.` and `..` among them. */
  readonly names: (readonly [name: Uint8Array, inode: Inode])[]
  /** Of its content, in bytes. */
  size: number
  /** Its number: its place in slots. */
  number: number
  /** The first block of its content. Undefined: the content follows the inode, or there is none. */
  at: number | undefined
  links: number
}

const fileTypes = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const
const deviceTypes = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const

function typeOf(entry: ArchiveEntry): number {
  return entry.kind === 'device' ? deviceTypes[entry.type ?? 'char'] : fileTypes[entry.kind]
}

/** `struct erofs_inode_extended` (fs/erofs/erofs_fs.h). */
export function putInode(image: DataView, { entry, attributes, number, size, at, links }: Inode): void {
  const { uid = 0, gid = 0, mtime = 0 } = entry
  const place = number * slot
  const isInline = size > 0 && at === undefined
  image.setUint16(place, 1 | ((isInline ? 2 : 0) << 1), true) // extended; flat, with its end inline or not
  image.setUint16(place + 2, attributeCount(attributes), true)
  image.setUint16(place + 4, typeOf(entry) | (entry.kind === 'link' ? 0o777 : entry.mode), true)
  image.setBigUint64(place + 8, BigInt(size), true)
  image.setUint32(place + 16, entry.kind === 'device' ? deviceNumber(entry) : (at ?? 0xffff_ffff), true)
  image.setUint32(place + 20, number, true)
  image.setUint32(place + 24, uid, true)
  image.setUint32(place + 28, gid, true)
  image.setBigInt64(place + 32, BigInt(Math.trunc(mtime)), true)
  image.setUint32(place + 44, links, true)
}

/** As `new_encode_dev` of Linux. */
function deviceNumber({ major, minor }: { readonly major: number; readonly minor: number }): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

const entryTypes = { file: 1, directory: 2, char: 3, block: 4, fifo: 5, link: 7 } as const
/** `struct erofs_dirent`: number, offset of the name, type. */
const direntBytes = 12

/** A directory's content: blocks, each with its entries and then their names. */
export function directoryBlocks(names: Inode['names']): Uint8Array {
  const groups: Inode['names'][] = [[]]
  let used = 0
  for (const named of names) {
    const bytes = direntBytes + named[0].length
    if (used + bytes > block) groups.push([])
    used = (used + bytes > block ? 0 : used) + bytes
    groups.at(-1)!.push(named)
  }
  const out = new Uint8Array((groups.length - 1) * block + used)
  for (const [index, group] of groups.entries()) putGroup(out.subarray(index * block), group)
  return out
}

function putGroup(out: Uint8Array, group: Inode['names']): void {
  const view = new DataView(out.buffer, out.byteOffset)
  let at = group.length * direntBytes
  for (const [index, [name, { number, entry }]] of group.entries()) {
    const place = index * direntBytes
    view.setBigUint64(place, BigInt(number), true)
    view.setUint16(place + 8, at, true)
    view.setUint8(place + 10, entryTypes[entry.kind === 'device' ? (entry.type ?? 'char') : entry.kind])
    out.set(name, at)
    at += name.length
  }
}
