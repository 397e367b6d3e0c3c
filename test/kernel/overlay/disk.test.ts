import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { readQcow2Header } from '../../../src/image/index.ts'
import { openDiskImage } from '../../../src/overlay/index.ts'
import { findQemu, makeEmptyLayer } from '../../../src/vm/index.ts'
import { bareQemu, endBare } from '../../support/bare-qemu.ts'
import { writeExt4, writeQcow2 } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'
import { isRoot } from '../../support/rights.ts'

const dir = mkdtempSync(join(tmpdir(), 'images-'))
const at = (name: string) => join(dir, name)
const usual = { trustBacking: false, bootable: false }
const trusting = { trustBacking: true, bootable: false }
const size = 8 << 20
const headerOf = (name: string) => {
  const bytes = readFileSync(at(name))
  return readQcow2Header(bytes, bytes.length)
}

beforeAll(async () => {
  mkdirSync(at('folder'))
  writeExt4(at('ext4.raw'), { from: at('folder'), mebibytes: 8 })
  const made = (name: string, create: object = {}) => writeQcow2(at(name), { size, create })
  await made('plain.qcow2')
  await made('old.qcow2', { version: 'v2', 'cluster-size': 4096 })
  await made('features.qcow2', { 'extended-l2': true, 'lazy-refcounts': true, 'compression-type': 'zstd' })
  await made('middle.qcow2', { 'backing-file': 'ext4.raw', 'backing-fmt': 'raw' })
  await made('top.qcow2', { 'backing-file': join(dir, 'middle.qcow2'), 'backing-fmt': 'qcow2' })
  await made('remote.qcow2', { 'backing-file': 'nbd://192.0.2.1/disk', 'backing-fmt': 'raw' })
  await made('lost.qcow2', { 'backing-file': 'gone.raw', 'backing-fmt': 'raw' })
})

describe('the header of an image that QEMU has made', () => {
  test('is read in every version, with every feature', async ({ census }) => {
    expect(headerOf('plain.qcow2')).toMatchObject({ version: 3, size, unknownFeatures: [] })
    expect(headerOf('old.qcow2')).toMatchObject({ version: 2, size, unknownFeatures: [] })
    expect(headerOf('features.qcow2')).toMatchObject({ version: 3, size, unknownFeatures: [] })
    expect(headerOf('middle.qcow2')).toMatchObject({ backingFile: 'ext4.raw', backingFormat: 'raw' })
    await census.expectUnchanged()
  })
})

describe('opening a disk image', () => {
  test('names its files, with the backing files of one that is trusted', async ({ census }) => {
    const { files, size: bytes, key } = await openDiskImage(at('top.qcow2'), trusting)
    expect(files).toEqual([
      { path: at('top.qcow2'), format: 'qcow2' },
      { path: at('middle.qcow2'), format: 'qcow2' },
      { path: at('ext4.raw'), format: 'raw' },
    ])
    expect(bytes).toBe(size)
    expect((await openDiskImage(at('top.qcow2'), trusting)).key).toBe(key)
    expect((await openDiskImage(at('plain.qcow2'), usual)).key).not.toBe(key)
    await census.expectUnchanged()
  })

  test.for<[file: string, options: typeof usual, reason: string]>([
    ['none', usual, 'No such file or directory'],
    ['folder', usual, 'it is a directory'],
    ['fifo', usual, 'it is not a file'],
    ['empty', usual, 'it is empty'],
    ['text', usual, 'it has neither a file system nor a boot sector'],
    ['tar', usual, 'it is a tar archive'],
    ['short.qcow2', usual, 'its qcow2 header is damaged or cut off'],
    ['half.qcow2', usual, 'is behind the end of the file'],
    ['middle.qcow2', usual, 'it has a backing file, ext4.raw'],
    ['remote.qcow2', trusting, 'it names nbd://192.0.2.1/disk, which is not a file'],
    ['lost.qcow2', trusting, 'gone.raw, which it names: No such file or directory'],
    ['circle.qcow2', trusting, 'it has more than 15 backing files'],
    ['ext4.raw', { trustBacking: false, bootable: true }, 'it has no boot sector'],
  ])('refuses %s, in one sentence', async ([file, options, reason], { census }) => {
    execFileSync('mkfifo', [at('fifo')])
    writeFileSync(at('empty'), '')
    writeFileSync(at('text'), 'hello\n'.repeat(1000))
    execFileSync('tar', ['-cf', at('tar'), '-C', dir, 'folder'])
    for (const [name, bytes] of [
      ['short.qcow2', 60],
      ['half.qcow2', 70_000],
    ] as const) {
      writeFileSync(at(name), readFileSync(at('plain.qcow2')))
      truncateSync(at(name), bytes)
    }
    await writeQcow2(at('circle.qcow2'), {
      size,
      create: { 'backing-file': 'circle.qcow2', 'backing-fmt': 'qcow2' },
    })
    try {
      await expect(openDiskImage(at(file), options)).rejects.toMatchObject({
        ...{ code: 'DISK_UNUSABLE', kind: 'usage', target: at(file) },
        message: expect.stringContaining(reason),
      })
    } finally {
      rmSync(at('fifo'))
    }
    await census.expectUnchanged()
  })

  test('refuses one that may not be read', async ({ census, skip }) => {
    skip(isRoot, 'root may read every file')
    writeFileSync(at('secret'), 'x', { mode: 0o000 })
    await expect(openDiskImage(at('secret'), usual)).rejects.toThrow('Permission denied')
    await census.expectUnchanged()
  })
})

describe('an empty layer', () => {
  const made = async (name: string, options = usual) => {
    const image = await openDiskImage(at(name), options)
    const qemu = await findQemu({ searchPath: '/usr/bin' })
    return makeEmptyLayer(image, { qemu, size: image.size })
  }

  test('is a qcow2 image of the size of the disk that names no other file', async ({ census }) => {
    for (const [name, options] of [
      ['ext4.raw', usual],
      ['old.qcow2', usual],
      ['top.qcow2', trusting],
    ] as const) {
      const layer = await made(name, options)
      const header = readQcow2Header(layer, layer.length)
      expect(header).toMatchObject({ size, hasDataFile: false })
      expect(header).not.toHaveProperty('backingFile')
    }
    await census.expectUnchanged()
  })

  test("is refused for an image that QEMU does not read, in QEMU's words", async ({ census }) => {
    const bytes = readFileSync(at('plain.qcow2'))
    bytes.writeBigUInt64BE(BigInt(3), 40) // the place of its L1 table is not the beginning of a cluster
    writeFileSync(at('odd.qcow2'), bytes)
    await expect(made('odd.qcow2')).rejects.toMatchObject({ code: 'DISK_REFUSED', target: at('odd.qcow2') })
    await census.expectUnchanged()
  })

  test('is refused for an image that another program writes to', async ({ census }) => {
    const writer = await bareQemu()
    const file = { driver: 'file', filename: at('plain.qcow2') } as const
    await writer.client.execute('blockdev-add', { 'node-name': 'disk', driver: 'qcow2', file })
    const refusal = await made('plain.qcow2').catch(failure => failure)
    await endBare(writer)
    expect(refusal).toMatchObject({ code: 'DISK_REFUSED', reason: expect.stringContaining('lock') })
    expect(await made('plain.qcow2')).toBeInstanceOf(Uint8Array)
    await census.expectUnchanged()
  })
})
