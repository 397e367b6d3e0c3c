import type { Attributes } from '../image/index.ts'

const block = 512
/** Headers that say something about the next entry, or about all: long names of GNU tar, records of pax. */
const aboutOthers = new Set(['x', 'g', 'L', 'K'])
/** It has no content, whatever its size says. */
const directory = '5'
const attributeKey = 'SCHILY.xattr.'

/**
 * The extended attributes of each entry of a tar archive, in the order of tar-stream, which makes text of these bytes
 * (`SCHILY.xattr.NAME`: GNU tar, libarchive, Docker). None when the archive has none.
 */
export function attributesIn(archive: Uint8Array): Attributes[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length)
  const found: Attributes[] = []
  if (!bytes.includes(attributeKey)) return found
  let next: Attributes = []
  for (let at = 0; at + block <= bytes.length; ) {
    const type = String.fromCharCode(bytes[at + 156]!)
    const size = sizeAt(bytes, at + 124)
    const content = bytes.subarray(at + block, at + block + size)
    if (bytes[at] === 0 && size === 0)
      at += block // the end, or a block between archives
    else {
      if (type === 'x') next = recordsIn(content)
      else if (!aboutOthers.has(type)) {
        found.push(next)
        next = []
      }
      at += block * (1 + Math.ceil((type === directory ? 0 : size) / block))
    }
  }
  return found
}

/** An octal number, or one in base 256 (GNU tar). */
function sizeAt(bytes: Buffer, at: number): number {
  if (bytes[at]! & 0x80) return Number(bytes.readBigUInt64BE(at + 4))
  return Number.parseInt(bytes.toString('latin1', at, at + 12), 8) || 0
}

/** `LENGTH KEY=VALUE\n`, where the length counts all of it. */
function recordsIn(bytes: Buffer): Attributes {
  const found: [string, Uint8Array][] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.toString('latin1', at, space))
    const end = at + length - 1
    if (space < 0 || !(end > space) || bytes[end] !== 0x0a) break
    const equals = bytes.indexOf(0x3d, space)
    const key = bytes.toString('utf8', space + 1, equals)
    if (equals > 0 && equals < end && key.startsWith(attributeKey))
      found.push([key.slice(attributeKey.length), Uint8Array.from(bytes.subarray(equals + 1, end))])
    at += length
  }
  return found
}
