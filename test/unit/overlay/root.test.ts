import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { openRoot } from '../../../src/overlay/root.ts'
import { readErofs } from '../../support/erofs-reader.ts'

const shell = readFileSync('/bin/sh')
const cacheDir = () => mkdtempSync(join(tmpdir(), 'roots-'))

async function tarOf(names: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of Object.entries(names)) tar.entry({ name, mode: 0o755 }, Buffer.from(content))
  tar.finalize()
  return buffer(tar)
}

function written(bytes: Uint8Array, name = 'root.tar'): string {
  const path = join(mkdtempSync(join(tmpdir(), 'root-')), name)
  writeFileSync(path, bytes)
  return path
}

describe('the root that a user brings', () => {
  test('is made into a disk once, and known by its content whatever its file is called', async () => {
    const [place, told] = [cacheDir(), [] as string[]]
    const options = { cacheDir: place, notice: (text: string) => told.push(text) }
    const tar = await tarOf({ './bin/sh': shell, 'etc/who': 'one' })
    const first = await openRoot(written(tar), options)
    const packed = written(gzipSync(tar), 'root.tar.gz')
    const second = await openRoot(packed, options)
    expect(second.key).toBe(first.key)
    expect(told).toHaveLength(2)
    expect(await openRoot(packed, options)).toEqual(second)
    expect(told).toHaveLength(2)
    const files = readErofs(readFileSync(first.disk.path))
    expect(files.find(({ path }) => path === 'etc/who')!.content.toString()).toBe('one')
    writeFileSync(packed, gzipSync(await tarOf({ 'bin/sh': shell, 'etc/who': 'two' })))
    expect((await openRoot(packed, options)).key).not.toBe(first.key)
  })

  test('may be a directory: every change in it, of a mode as well, gives another disk', async () => {
    const [root, place] = [mkdtempSync(join(tmpdir(), 'folder-')), cacheDir()]
    mkdirSync(join(root, 'bin'))
    writeFileSync(join(root, 'bin/dash'), shell)
    symlinkSync('dash', join(root, 'bin/sh'))
    linkSync(join(root, 'bin/dash'), join(root, 'bin/again'))
    const first = await openRoot(root, { cacheDir: place })
    const files = readErofs(readFileSync(first.disk.path))
    const [again, dash] = ['bin/again', 'bin/dash'].map(name => files.find(({ path }) => path === name)!)
    expect([again!.inode, again!.links]).toEqual([dash!.inode, 2])
    expect((await openRoot(root, { cacheDir: place })).key).toBe(first.key)
    chmodSync(join(root, 'bin/dash'), 0o500)
    expect((await openRoot(root, { cacheDir: place })).key).not.toBe(first.key)
  })

  test.for<[what: string, path: () => string | Promise<string>, reason: string]>([
    ['nothing', () => '/nowhere/root.tar', 'No such file or directory'],
    ['a device', () => '/dev/null', 'it is neither a file nor a directory'],
    ['an empty file', () => written(Buffer.alloc(0)), 'it gives no output'],
    ['text', () => written(Buffer.from('x'.repeat(2000))), 'no tar archive'],
    ['damaged gzip', async () => written(gzipSync(await tarOf({ a: 'b' })).subarray(0, 40)), 'damaged'],
    ['a path outside', async () => written(await tarOf({ '../a': 'b' })), 'leads out of'],
    ['no system', async () => written(await tarOf({ 'etc/passwd': 'b' })), 'it has no /bin/sh'],
  ])('is refused with the reason when it is %s', async ([, path, reason]) => {
    await expect(openRoot(await path(), { cacheDir: cacheDir() })).rejects.toMatchObject({
      code: 'ROOTFS_UNUSABLE',
      kind: 'usage',
      message: expect.stringContaining(reason),
    })
  })
})
