import { read } from 'node:fs'
import { promisify } from 'node:util'
import { writeAt } from './checked-file.ts'
import { blockSize, type Manifest, pieceSize } from './manifest.ts'

type Extents = Manifest['ram']['extents']

const zeros = Buffer.alloc(pieceSize)
export const readSome = promisify(read)

/** What of a memory is kept. */
interface Kept {
  /** Its size. */
  readonly bytes: number
  /** Blocks are kept that differ from those of this file. Absent: those that are not all zero. */
  readonly base?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Reads memory from a file and passes the blocks that are kept to `take`. Returns which those are. */
export async function keepBlocks(
  fd: number,
  { bytes, base, signal }: Kept,
  take: (block: Uint8Array) => Promise<void>,
): Promise<Extents> {
  const extents: [number, number][] = []
  const piece = Buffer.allocUnsafe(pieceSize)
  const like = base === undefined ? zeros : Buffer.allocUnsafe(pieceSize)
  for (let at = 0; at < bytes; at += pieceSize) {
    signal?.throwIfAborted()
    const wanted = Math.min(pieceSize, bytes - at)
    await Promise.all([
      fill(fd, piece, { wanted, at }),
      base !== undefined && fill(base, like, { wanted, at }),
    ])
    if (piece.subarray(0, wanted).equals(like.subarray(0, wanted))) continue
    for (let offset = 0; offset < wanted; offset += blockSize) {
      const end = Math.min(offset + blockSize, wanted)
      const block = piece.subarray(offset, end)
      if (block.equals(like.subarray(offset, end))) continue
      note(extents, (at + offset) / blockSize)
      await take(block)
    }
  }
  return extents
}

async function fill(
  fd: number,
  piece: Buffer,
  { wanted, at }: { readonly wanted: number; readonly at: number },
): Promise<void> {
  const { bytesRead } = await readSome(fd, piece, 0, wanted, at)
  if (bytesRead !== wanted) throw new Error('the memory file is shorter than the memory of the guest')
}

/** Copies memory from one file to another, without the pieces that are all zero. */
export async function copyNonZero(from: number, to: number, bytes: number): Promise<void> {
  const piece = Buffer.allocUnsafe(pieceSize)
  for (let at = 0; at < bytes; at += pieceSize) {
    const { bytesRead } = await readSome(from, piece, 0, Math.min(pieceSize, bytes - at), at)
    const part = piece.subarray(0, bytesRead)
    if (!isZero(part)) await writeAt(to, part, at)
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length))
}

function note(extents: [number, number][], block: number): void {
  const last = extents.at(-1)
  if (last && last[0] + last[1] === block) last[1]++
  else extents.push([block, 1])
}

/**
 * Finds the places of the kept bytes. Called with pieces in the order in which they were kept, it passes on
 * each part of a piece with its place in memory.
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
