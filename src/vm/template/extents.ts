import { readSync } from 'node:fs'
import { blockSize, type Manifest } from './manifest.ts'

type Extents = Manifest['ram']['extents']

const zeros = Buffer.alloc(blockSize)

/** Reads `bytes` of memory from a file, gives the blocks that are not all zero to `take`, and says which those are. */
export async function keepNonZero(
  fd: number,
  bytes: number,
  take: (block: Uint8Array) => Promise<void>,
): Promise<Extents> {
  const extents: [number, number][] = []
  const block = Buffer.allocUnsafe(blockSize)
  for (let index = 0; index * blockSize < bytes; index++) {
    if (readSync(fd, block, 0, blockSize, index * blockSize) !== blockSize)
      throw new Error('the memory is shorter than it should be')
    if (block.equals(zeros)) continue
    const last = extents.at(-1)
    if (last && last[0] + last[1] === index) last[1]++
    else extents.push([index, 1])
    await take(block)
  }
  return extents
}

/**
 * Where the kept bytes go. Called with pieces in the order in which they were kept, gives each part of a piece and
 * the place in memory it came from.
 */
export function placer(
  extents: Extents,
  put: (part: Uint8Array, at: number) => Promise<void>,
): (piece: Uint8Array) => Promise<void> {
  let extent = 0
  let used = 0
  return async piece => {
    for (let at = 0; at < piece.length; ) {
      const [block, blocks] = extents[extent]!
      const part = piece.subarray(at, at + blocks * blockSize - used)
      await put(part, block * blockSize + used)
      at += part.length
      used += part.length
      if (used < blocks * blockSize) continue
      extent++
      used = 0
    }
  }
}
