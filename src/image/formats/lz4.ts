import { DecodeError, Reader } from '../../base/index.ts'

const MAGIC = 0x184c2102
/** The unpacked size of every block but the last in the legacy format. */
const BLOCK = 8 << 20
const MIN_MATCH = 4

/**
 * Unpacks LZ4's legacy frame, which the kernel's own build uses (lz4 `doc/lz4_Frame_format.md`, "Legacy
 * frame"): a magic number, then blocks, each after its packed length. It refuses data that unpacks to more
 * than `limit` bytes.
 */
export function unpackLz4(bytes: Uint8Array, limit: number): Uint8Array {
  const from = new Reader(bytes)
  if (from.u32('LZ4 magic') !== MAGIC) throw new DecodeError('LZ4', 0, 'it has no legacy LZ4 magic')
  const blocks: Uint8Array[] = []
  const scratch = new Uint8Array(Math.min(BLOCK, limit))
  let total = 0
  while (from.left > 0) {
    const block = from.window(from.u32('LZ4 block length'), 'LZ4 block')
    const length = unpackBlock(block, scratch)
    total += length
    if (total > limit) throw new DecodeError('LZ4', block.end, `it unpacks to more than ${limit} bytes`)
    blocks.push(scratch.slice(0, length))
  }
  return Buffer.concat(blocks, total)
}

/** One block: literals, then a copy of earlier output, repeatedly (`lz4_Block_format.md`). */
function unpackBlock(from: Reader, out: Uint8Array): number {
  let at = 0
  while (from.left > 0) {
    const token = from.u8()
    const literals = length(from, token >> 4)
    const start = from.skip(literals, 'LZ4 literals')
    if (at + literals > out.length)
      throw new DecodeError('LZ4', from.offset, 'a block unpacks to more than its size')
    out.set(from.bytes.subarray(start, start + literals), at)
    at += literals
    if (from.left === 0) break // the last sequence has literals only
    const back = from.u16('LZ4 offset')
    if (back === 0 || back > at)
      throw new DecodeError('LZ4', from.offset - 2, `a copy refers to ${back} bytes back`)
    const count = length(from, token & 15) + MIN_MATCH
    if (at + count > out.length)
      throw new DecodeError('LZ4', from.offset, 'a block unpacks to more than its size')
    copyBack(out, at, { back, count })
    at += count
  }
  return at
}

/** 15 means that more bytes follow. Each adds up to 255, and one below 255 is the last. */
function length(from: Reader, nibble: number): number {
  let total = nibble
  if (nibble < 15) return total
  let more: number
  do {
    more = from.u8('LZ4 length')
    total += more
  } while (more === 255)
  return total
}

/** Source and target may overlap, which repeats a pattern: then it copies byte by byte. */
function copyBack(out: Uint8Array, at: number, { back, count }: { back: number; count: number }): void {
  if (back >= count) out.copyWithin(at, at - back, at - back + count)
  else for (let i = at; i < at + count; i++) out[i] = out[i - back]!
}
