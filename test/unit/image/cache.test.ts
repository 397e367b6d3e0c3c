import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Cache } from '../../../src/image/cache.ts'
import { Inputs } from '../../../src/image/inputs.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-cache-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const files = { vmlinux: Buffer.from('kernel'), initramfs: Buffer.from('root') }
const facts = { kernelVersion: '6.1' }

describe('an entry of the image cache', () => {
  test('is found by its key, with its facts', async () => {
    const cache = new Cache(join(dir, 'images'))
    expect(await cache.find('k')).toBeUndefined()
    const stored = await cache.store('k', files, facts)
    expect(await cache.find('k')).toEqual(stored)
    expect(readFileSync(join(stored.dir, 'vmlinux'), 'utf8')).toBe('kernel')
    expect(readdirSync(join(dir, 'images'))).toEqual(['k'])
  })

  test.each([
    ['a truncated file', (path: string) => truncateSync(join(path, 'vmlinux'), 3)],
    ['a changed file', (path: string) => writeFileSync(join(path, 'vmlinux'), 'Kernel')],
    ['a missing file', (path: string) => rmSync(join(path, 'initramfs'))],
    ['a broken manifest', (path: string) => writeFileSync(join(path, 'manifest.json'), '{"facts"')],
    ['no manifest', (path: string) => rmSync(join(path, 'manifest.json'))],
  ])('with %s is not used, and is replaced', async (_, damage) => {
    const cache = new Cache(dir)
    damage((await cache.store('k', files, facts)).dir)
    expect(await cache.find('k')).toBeUndefined()
    await cache.store('k', files, facts)
    expect(await cache.find('k')).toBeDefined()
    expect(readdirSync(dir)).toEqual(['k'])
  })

  test('can be read by all users, whatever the umask, also when an earlier version stored it for one', async () => {
    const cache = new Cache(dir)
    const before = process.umask(0o077)
    try {
      const entry = await cache.store('k', files, facts)
      const modes = () => readdirSync(entry.dir).map(name => statSync(join(entry.dir, name)).mode & 0o777)
      expect(modes()).toEqual([0o644, 0o644, 0o644])
      for (const name of readdirSync(entry.dir)) chmodSync(join(entry.dir, name), 0o600)
      await cache.remember('request', entry, {})
      expect(cache.recall('request')).toBeUndefined()
      await cache.remember('request', (await cache.find('k'))!, {})
      expect(modes()).toEqual([0o644, 0o644, 0o644])
      expect(cache.recall('request')).toEqual(entry)
    } finally {
      process.umask(before)
    }
  })

  test('can be stored many times at once', async () => {
    const stores = Array.from({ length: 8 }, () => new Cache(dir).store('k', files, facts))
    await Promise.all(stores)
    expect(await new Cache(dir).find('k')).toBeDefined()
    expect(readdirSync(dir)).toEqual(['k'])
  })

  test('is removed when it was not used for weeks, like the remains of a killed builder', async () => {
    const cache = new Cache(dir)
    await cache.store('old', files, facts)
    writeFileSync(join(dir, '.aside-x'), '')
    const longAgo = new Date(Date.now() - 30 * 24 * 3600 * 1000)
    for (const name of ['old', '.aside-x']) utimesSync(join(dir, name), longAgo, longAgo)
    await cache.store('new', files, facts)
    expect(readdirSync(dir)).toEqual(['new'])
  })
})

describe('a repeated request to the image cache', () => {
  const remembered = async () => {
    const cache = new Cache(dir)
    const input = join(dir, 'input')
    writeFileSync(input, 'one')
    const inputs = new Inputs()
    await inputs.read(input)
    inputs.has(join(dir, 'absent'))
    await inputs.list(join(dir, 'nowhere'))
    await cache.remember('request', await cache.store('k', files, facts), inputs.fingerprints())
    return { cache, input }
  }

  test('is answered without reading any file', async () => {
    const { cache } = await remembered()
    expect(cache.recall('request')).toEqual({ key: 'k', dir: join(dir, 'k'), facts })
    expect(cache.recall('another')).toBeUndefined()
  })

  test.each([
    ['an input changes', () => writeFileSync(join(dir, 'input'), 'two!')],
    ['an input is removed', () => rmSync(join(dir, 'input'))],
    ['a missing input appears', () => writeFileSync(join(dir, 'absent'), '')],
    ['the entry is damaged', () => truncateSync(join(dir, 'k/vmlinux'), 1)],
    ['the entry is removed', () => rmSync(join(dir, 'k'), { recursive: true })],
  ])('is not answered from it when %s', async (_, change) => {
    const { cache } = await remembered()
    change()
    expect(cache.recall('request')).toBeUndefined()
  })
})
