import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { fileNames, loadTemplate, saveTemplate } from '../../../src/vm/snapshot/store.ts'
import { test } from '../../support/leaks.ts'
import { randomOf } from '../../support/random.ts'
import { needsRoot } from '../../support/rights.ts'
import { sample, saved } from './sample.ts'

const root = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
const names = Object.values(fileNames)
afterAll(() => rmSync(root, { recursive: true }))

const inRoot = (key: string) => join(root, key)

/** Its memory and state, as a clone would see them. */
async function contentOf(directory: string, key: string) {
  const loaded = await loadTemplate(directory, key)
  if (!loaded) return undefined
  const read = (fd: number) => readFileSync(`/proc/self/fd/${fd}`)
  const content = { ram: read(loaded.ram.fd), state: read(loaded.state.fd) }
  await Promise.all([loaded.ram.close(), loaded.state.close()])
  return content
}

test('a loaded template equals the saved one and is sealed, and an empty directory gives none', async () => {
  const { key, ...frozen } = sample(1, 4)
  await saveTemplate(inRoot(key), frozen)
  const content = await contentOf(inRoot(key), key)
  expect(content?.ram.equals(readFileSync(`/proc/self/fd/${frozen.ram.fd}`))).toBe(true)
  expect(content?.state.equals(frozen.state)).toBe(true)
  expect(readdirSync(inRoot(key)).sort()).toEqual(['manifest.json', 'ram', 'state'])
  expect(readFileSync(join(inRoot(key), 'ram')).length).toBe(2 << 20)
  await frozen.ram.close()
  expect(await loadTemplate(join(root, 'nothing'), key)).toBeUndefined()
})

test('a template can have more memory than 31 bits can count', async () => {
  const { key, ...frozen } = sample(8, 1)
  const last = 2100 * 2 ** 20 - 5
  writeSync(frozen.ram.fd, 'last', last)
  ftruncateSync(frozen.ram.fd, 2100 * 2 ** 20)
  await saveTemplate(inRoot(key), { ...frozen, memoryMiB: 2100 })
  await frozen.ram.close()
  const loaded = await loadTemplate(inRoot(key), key)
  const end = Buffer.alloc(5)
  readSync(loaded!.ram.fd, end, 0, 5, last)
  expect(end.toString()).toBe('last\0')
  await Promise.all([loaded!.ram.close(), loaded!.state.close()])
})

describe('a damaged template is refused', () => {
  let key: string
  let directory: string
  const good = new Map<string, Buffer>()
  beforeAll(async () => {
    ;({ key, directory } = await saved(inRoot, 2, 1))
    for (const name of names) good.set(name, readFileSync(join(directory, name)))
  })

  test('for each of 1,000 flipped bits or truncated files', async () => {
    const random = randomOf(7)
    const refused: unknown[] = []
    for (let count = 0; count < 1000; count++) {
      const name = names[count % names.length]!
      const bytes = good.get(name)!
      const at = random() % bytes.length
      const path = join(directory, name)
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (random() % 8)
      writeFileSync(path, count % 4 === 3 ? bytes.subarray(0, at) : flipped)
      const failure = await loadTemplate(directory, key).catch(thrown => thrown)
      expect(failure, `${name}, at ${at}, number ${count}`).toMatchObject({ code: 'TEMPLATE_DAMAGED' })
      refused.push(failure)
      writeFileSync(path, bytes)
    }
    expect(refused).toHaveLength(1000)
    expect(await contentOf(directory, key)).toBeDefined()
  })

  test('with files that are longer, missing, or of another template', async () => {
    const other = await saved(inRoot, 3, 1)
    const place = inRoot('elsewhere')
    const faults: [string, (copy: string) => void][] = [
      ['ram: it has', copy => appendFileSync(join(copy, 'ram'), 'x')],
      ['state: it has', copy => truncateSync(join(copy, 'state'))],
      ['ENOENT', copy => rmSync(join(copy, 'ram'))],
      ['not what was written', copy => copyFileSync(join(other.directory, 'ram'), join(copy, 'ram'))],
      [
        'made for another key',
        copy => copyFileSync(join(other.directory, fileNames.manifest), join(copy, fileNames.manifest)),
      ],
      ['its manifest is damaged', copy => writeFileSync(join(copy, fileNames.manifest), '{}\n')],
    ]
    for (const [reason, fault] of faults) {
      cpSync(directory, place, { recursive: true })
      fault(place)
      await expect(loadTemplate(place, key)).rejects.toMatchObject({
        code: 'TEMPLATE_DAMAGED',
        reason: expect.stringContaining(reason),
      })
      rmSync(place, { recursive: true })
    }
  })
})

test('killing a process that saves leaves the earlier template or none, and the next save works', async () => {
  const directory = join(root, 'killed')
  const { key, ...frozen } = sample(1)
  const script = fileURLToPath(new URL('./save-forever.ts', import.meta.url))
  const jiti = fileURLToPath(import.meta.resolve('jiti/register'))
  const found: string[] = []
  for (let round = 0; round < 6; round++) {
    const saver = spawn(process.execPath, ['--import', jiti, script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(saver.stdout!, 'data') // the first save is complete
    for (let saves = 0; saves < round % 3; saves++) await once(saver.stdout!, 'data')
    saver.kill('SIGKILL')
    await once(saver, 'close')
    const content = await contentOf(join(directory, key), key)
    if (content) expect(content.state.equals(frozen.state)).toBe(true)
    found.push(content ? 'old' : 'nothing')
  }
  expect(found).toContain('old')
  await saveTemplate(join(directory, key), frozen)
  expect(await contentOf(join(directory, key), key)).toBeDefined()
  expect(readdirSync(directory)).toEqual([key])
  await frozen.ram.close()
})

test('a full disk gives one error and leaves nothing incomplete', async ({ skip }) => {
  needsRoot(skip)
  const disk = join(root, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk])
  try {
    const { key, ...frozen } = sample(4)
    await expect(saveTemplate(join(disk, key), frozen)).rejects.toMatchObject({ code: 'ENOSPC' })
    await frozen.ram.close()
    expect(readdirSync(disk)).toEqual([])
  } finally {
    execFileSync('umount', [disk])
  }
})
