import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepBlocks, placer } from '../../../../src/vm/snapshot/extents.ts'
import { blockSize } from '../../../../src/vm/snapshot/manifest.ts'

/** Stores and restores memory of these blocks, each filled with its number, in pieces of a given size. */
async function thereAndBack(blocks: readonly number[], pieceSize: number, base?: readonly number[]) {
  const memoryOf = (fills: readonly number[]) =>
    Buffer.concat(fills.map(fill => Buffer.alloc(blockSize, fill)))
  const memory = memoryOf(blocks)
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  writeFileSync(join(directory, 'memory'), memory)
  writeFileSync(join(directory, 'base'), memoryOf(base ?? []))
  const fd = openSync(join(directory, 'memory'), 'r')
  const baseFd = openSync(join(directory, 'base'), 'r')
  try {
    const kept: Buffer[] = []
    const what = { bytes: memory.length, ...(base && { base: baseFd }) }
    const extents = await keepBlocks(fd, what, async block => void kept.push(Buffer.from(block)))
    const file = Buffer.concat(kept)
    const again = base ? memoryOf(base) : Buffer.alloc(memory.length)
    const place = placer(extents, async (part, at) => again.set(part, at))
    for (let at = 0; at < file.length; at += pieceSize) await place(file.subarray(at, at + pieceSize))
    return { extents, keptBytes: file.length, same: again.equals(memory) }
  } finally {
    closeSync(fd)
    closeSync(baseFd)
    rmSync(directory, { recursive: true })
  }
}

test('blocks of zeros are not stored, and the others return to their places', async () => {
  expect(await thereAndBack([0, 1, 2, 0, 0, 3], 5000)).toEqual({
    extents: [
      [1, 2],
      [5, 1],
    ],
    keptBytes: 3 * blockSize,
    same: true,
  })
  expect(await thereAndBack([0, 0], 5000)).toEqual({ extents: [], keptBytes: 0, same: true })
})

test('blocks return to their places in pieces of any size', async () => {
  const memories = fc.array(fc.nat(2), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(memories, fc.integer({ min: 1000, max: 3 * blockSize }), async (blocks, size) => {
      expect((await thereAndBack(blocks, size)).same).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('of memory that is like another, blocks that differ are stored, zeros among them', async () => {
  expect(await thereAndBack([1, 2, 0, 0, 5, 6], 5000, [1, 3, 4, 0, 5, 0])).toEqual({
    extents: [
      [1, 2],
      [5, 1],
    ],
    keptBytes: 3 * blockSize,
    same: true,
  })
})
