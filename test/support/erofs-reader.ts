/** A name in an EROFS image as a reader finds it. */
export interface ErofsFile {
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly mtime: number
  readonly links: number
  readonly inode: number
  /** A file's bytes, or a link's target. */
  readonly content: Buffer
  /** Of a device, as Linux encodes it. */
  readonly device: number
  /** By name, in hexadecimal digits. */
  readonly attributes: Readonly<Record<string, string>>
}

/** Everything in an uncompressed image with extended inodes, in the order of its directories (fs/erofs/erofs_fs.h). */
export function readErofs(bytes: Uint8Array): ErofsFile[] {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (image.readUInt32LE(1024) !== 0xe0f5e1e2) throw new Error('no EROFS magic')
  if (image.readUInt32LE(1024 + 36) * 4096 !== image.length) throw new Error('not as long as it says')
  return below(image, image.readUInt16LE(1024 + 14), '')
}

function below(image: Buffer, inode: number, path: string): ErofsFile[] {
  return names(contentOf(image, inode).content).flatMap(({ name, inode: child }) => {
    if (name === '.' || name === '..') return []
    const file = { ...contentOf(image, child), path: path + name, inode: child }
    return [file, ...((file.mode & 0o170000) === 0o040000 ? below(image, child, `${path}${name}/`) : [])]
  })
}

function contentOf(image: Buffer, inode: number) {
  const at = inode * 32
  const format = image.readUInt16LE(at)
  if ((format & 1) === 0) throw new Error('a compact inode')
  const [mode, size, place] = [
    image.readUInt16LE(at + 4),
    Number(image.readBigUInt64LE(at + 8)),
    image.readUInt32LE(at + 16),
  ]
  const isInline = format >> 1 === 2
  const attributes = attributesAt(image, at)
  const head = 64 + attributes.bytes
  if (isInline && (at % 4096) + head + size > 4096) throw new Error('inline content crosses a block')
  const start = isInline ? at + head : place * 4096
  return {
    mode,
    owner: `${image.readUInt32LE(at + 24)}:${image.readUInt32LE(at + 28)}`,
    mtime: Number(image.readBigInt64LE(at + 32)),
    links: image.readUInt32LE(at + 44),
    content: size === 0 ? Buffer.alloc(0) : image.subarray(start, start + size),
    device: place,
    attributes: attributes.found,
  }
}

const prefixes: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  6: 'security.',
}

/** `struct erofs_xattr_ibody_header`, and entries up to the length that the inode says. */
function attributesAt(image: Buffer, at: number) {
  const count = image.readUInt16LE(at + 2)
  const bytes = count === 0 ? 0 : 12 + 4 * (count - 1)
  const found: Record<string, string> = {}
  for (let next = at + 64 + 12; next < at + 64 + bytes; ) {
    const [length, index, size] = [image[next]!, image[next + 1]!, image.readUInt16LE(next + 2)]
    const value = next + 4 + length
    const name = image.toString('utf8', next + 4, value)
    found[`${prefixes[index]}${name}`] = image.toString('hex', value, value + size)
    next = Math.ceil((value + size) / 4) * 4
  }
  return { bytes, found }
}

function names(directory: Buffer): { name: string; inode: number }[] {
  const found: { name: string; inode: number }[] = []
  for (let block = 0; block < directory.length; block += 4096) {
    const part = directory.subarray(block, block + 4096)
    const count = part.readUInt16LE(8) / 12
    for (let index = 0; index < count; index++) {
      const end = index + 1 < count ? part.readUInt16LE((index + 1) * 12 + 8) : part.length
      const name = part.subarray(part.readUInt16LE(index * 12 + 8), end).toString()
      found.push({ name: name.replace(/\0+$/, ''), inode: Number(part.readBigUInt64LE(index * 12)) })
    }
  }
  return found
}
