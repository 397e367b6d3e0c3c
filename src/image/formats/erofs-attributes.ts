import { EncodeError } from '../../base/index.ts'
import type { Attributes } from './cpio.ts'

/** By the number that stands for them (`fs/erofs/xattr.h`), the longest first. */
const prefixes: readonly (readonly [prefix: string, index: number])[] = [
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['security.', 6],
  ['user.', 1],
]
/** `struct erofs_xattr_ibody_header`. */
const headerBytes = 12
/** `struct erofs_xattr_entry`, before the name. */
const entryBytes = 4
/** Of one file. The inode, these and inline content share a block. */
const most = 2048

const encoder = new TextEncoder()

/** The attributes as they follow an inode: none for a file without any. Throws EncodeError for more than has room. */
export function attributeBlock(path: string, attributes: Attributes = []): Uint8Array {
  const entries = attributes.flatMap(([name, value]) => {
    const [prefix, index] = prefixes.find(([each]) => name.startsWith(each)) ?? []
    return prefix === undefined
      ? []
      : [{ index: index!, name: encoder.encode(name.slice(prefix.length)), value }]
  })
  if (entries.length === 0) return new Uint8Array(0)
  const lengths = entries.map(({ name, value }) => aligned(entryBytes + name.length + value.length))
  const total = lengths.reduce((sum, length) => sum + length, headerBytes)
  if (total > most) throw new EncodeError(path, `its extended attributes take more than ${most} bytes`)
  const out = new Uint8Array(total)
  const view = new DataView(out.buffer)
  let at = headerBytes
  for (const [place, { index, name, value }] of entries.entries()) {
    out[at] = name.length
    out[at + 1] = index
    view.setUint16(at + 2, value.length, true)
    out.set(name, at + entryBytes)
    out.set(value, at + entryBytes + name.length)
    at += lengths[place]!
  }
  return out
}

/** What an inode says of the length of its attributes: `i_xattr_icount`. */
export function attributeCount({ length }: Uint8Array): number {
  return length === 0 ? 0 : (length - headerBytes) / 4 + 1
}

const aligned = (bytes: number): number => Math.ceil(bytes / 4) * 4
