import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { lockFile } from '../../../src/sys/index.ts'
import {
  exportTemplates,
  importTemplates,
  listTemplates,
  removeTemplates,
  trimTemplates,
} from '../../../src/vm/index.ts'
import { fileNames, loadTemplate, lockOf, saveTemplate, templatesIn } from '../../../src/vm/snapshot/store.ts'
import { test } from '../../support/leaks.ts'
import { sample, sampleQemu, saved } from './sample.ts'

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
})
afterEach(() => rmSync(cache, { recursive: true }))

const place = (key: string) => join(templatesIn(cache), key)

/** Three templates that were used in this order, long ago. */
async function three(): Promise<string[]> {
  const keys: string[] = []
  for (const [index, seed] of [3, 1, 2].entries()) {
    const { key, directory } = await saved(place, seed)
    utimesSync(join(directory, fileNames.manifest), 1000 + index, 1000 + index)
    keys.push(key)
  }
  return keys
}

const keysOf = (templates: readonly { key: string }[]) => templates.map(({ key }) => key)

test('lists the templates in the cache, least recently used first; loading one counts as use', async () => {
  expect(await listTemplates(cache)).toEqual([])
  const [first, second, third] = await three()
  const list = await listTemplates(cache)
  expect(keysOf(list)).toEqual([first, second, third])
  expect(list[0]).toMatchObject({
    usedAt: 1_000_000,
    shape: { memoryMiB: 2, nicCount: 2, image: 'image 3', qemu: '7.2.22' },
  })
  expect(list[0]!.bytes).toBeGreaterThan(1 << 20)

  const loaded = await loadTemplate(place(first!), first!)
  await Promise.all([loaded!.ram.close(), loaded!.state.close()])
  writeFileSync(join(place(second!), fileNames.manifest), 'damaged')
  const later = await listTemplates(cache)
  expect(later.at(0)?.key).toBe(third)
  expect(later.find(({ key }) => key === second)?.shape).toBeUndefined()
})

test('removes the given templates, but not one that is being built', async () => {
  const [first, second, third] = await three()
  await using _building = lockFile(lockOf(place(first!)))!
  expect(await removeTemplates(cache, [first!, second!, 'f'.repeat(64)])).toEqual([second])
  expect(keysOf(await listTemplates(cache))).toEqual([first, third])
})

test('trims the cache to a size, oldest first, and keeps the template to be kept', async () => {
  const [first, second, third] = await three()
  const sizes = (await listTemplates(cache)).map(({ bytes }) => bytes)
  const total = sizes.reduce((sum, bytes) => sum + bytes)
  expect(await trimTemplates(cache, { bytes: total })).toEqual([])
  expect(await trimTemplates(cache, { bytes: total - 1, keep: [first!] })).toEqual([second])
  expect(await trimTemplates(cache, { bytes: 0, keep: [first!] })).toEqual([third])
})

test('exports a template to a file and imports it on another machine', async () => {
  const { key } = await saved(place, 5)
  const path = join(cache, 'exported')
  await exportTemplates(cache, [key], path)
  const elsewhere = join(cache, 'elsewhere')
  expect(await importTemplates(elsewhere, path)).toEqual([key])
  for (const name of Object.values(fileNames)) {
    const [there, here] = [templatesIn(elsewhere), templatesIn(cache)]
    expect(readFileSync(join(there, key, name)).equals(readFileSync(join(here, key, name)))).toBe(true)
  }
  expect(keysOf(await listTemplates(elsewhere))).toEqual([key])
  await expect(exportTemplates(elsewhere, ['f'.repeat(64)], path)).rejects.toMatchObject({
    code: 'TEMPLATE_UNKNOWN',
    kind: 'missing',
  })
})

test('exports several templates to one file', async () => {
  const keys = await three()
  const path = join(cache, 'exported')
  await exportTemplates(cache, keys, path)
  const elsewhere = join(cache, 'elsewhere')
  expect(await importTemplates(elsewhere, path)).toEqual(keys)
  expect(new Set(keysOf(await listTemplates(elsewhere)))).toEqual(new Set(keys))
})

test('refuses to import a damaged file, and leaves the cache unchanged', async () => {
  const { key } = await saved(place, 6)
  const path = join(cache, 'exported')
  await exportTemplates(cache, [key], path)
  const good = readFileSync(path)
  const before = readFileSync(join(place(key), fileNames.manifest))
  const faults = [
    (bytes: Buffer) => bytes.subarray(0, -1),
    (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')]),
    (bytes: Buffer) => bytes.fill(bytes[5]! ^ 1, 5, 6),
    (bytes: Buffer) => bytes.fill(bytes[60]! ^ 1, 60, 61),
    (bytes: Buffer) => bytes.fill(bytes[bytes.length >> 1]! ^ 1, bytes.length >> 1, (bytes.length >> 1) + 1),
    (bytes: Buffer) => bytes.fill(bytes.at(-1)! ^ 1, bytes.length - 1),
    () => Buffer.alloc(0),
  ]
  for (const fault of faults) {
    writeFileSync(path, fault(Buffer.from(good)))
    await expect(importTemplates(cache, path)).rejects.toMatchObject({ code: 'TEMPLATE_DAMAGED' })
  }
  expect(readFileSync(join(place(key), fileNames.manifest)).equals(before)).toBe(true)
  expect(keysOf(await listTemplates(cache))).toEqual([key])
})

test.each([
  [
    'a QEMU of another version in the same place',
    { qemu: { ...sampleQemu, version: '10.0.13', build: 'Debian 1:10.0.13', size: 1 } },
    /^it is for QEMU 10\.0\.13 \(Debian 1:10\.0\.13\), and \/\S+ on this machine is another\. /,
  ],
  [
    'a QEMU that was changed',
    { qemu: { ...sampleQemu, mtimeMs: sampleQemu.mtimeMs + 1 } },
    /on this machine is another\. /,
  ],
  [
    'a QEMU that this machine lacks',
    { qemu: { ...sampleQemu, path: '/opt/qemu' } },
    /^it is for QEMU 7\.2\.22 \(Debian 1:7\.2\), and this machine has no \/opt\/qemu\. /,
  ],
  ['another CPU', { cpu: 'GenuineIntel/6/85/Xeon/7' }, /^it is for another CPU: Xeon\. /],
])('refuses to import a template of %s, in words, and leaves nothing', async (_, other, reason) => {
  const { key, ...frozen } = sample(9, 2, other)
  await saveTemplate(place(key), frozen)
  await frozen.ram.close()
  const path = join(cache, 'exported')
  await exportTemplates(cache, [key], path)
  const elsewhere = join(cache, 'elsewhere')
  await expect(importTemplates(elsewhere, path)).rejects.toMatchObject({
    code: 'TEMPLATE_FOREIGN',
    kind: 'prerequisite',
    reason: expect.stringMatching(reason),
  })
  expect(readdirSync(templatesIn(elsewhere))).toEqual([])
})
