import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { exportSnapshot, importSnapshot } from '../../../src/vm/snapshots/bundle.ts'
import { listSnapshots, removeSnapshot } from '../../../src/vm/snapshots/list.ts'
import { openSnapshot } from '../../../src/vm/snapshots/open.ts'
import { saveSnapshot } from '../../../src/vm/snapshots/save.ts'
import { adoptVms, shareVms } from '../../../src/vm/snapshots/shared.ts'
import { test } from '../../support/leaks.ts'
import { randomOf } from '../../support/random.ts'
import { needsRoot } from '../../support/rights.ts'
import { sampleBytes, sampleVms, saveSample } from './snapshot-sample.ts'

/** Damages to be refused. bench/damaged-snapshots.sh sets more. */
const damages = Number(process.env.DAMAGES ?? 30)

const base = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
afterAll(() => rmSync(base, { recursive: true }))
let count = 0
const newRoot = () => join(base, `${++count}`)

const hashOf = ({ fd }: { readonly fd: number }) =>
  createHash('sha256')
    .update(readFileSync(`/proc/self/fd/${fd}`))
    .digest('hex')

/** Hashes of the memory and state of its VMs. */
async function contentOf(root: string, name: string): Promise<Map<number, string>> {
  await using snapshot = await openSnapshot(root, name)
  return contents(snapshot.vms)
}

type Files = ReadonlyMap<
  number,
  { readonly ram: { readonly fd: number }; readonly state: { readonly fd: number } }
>

function contents(vms: Files): Map<number, string> {
  return new Map(Array.from(vms, ([id, { ram, state }]) => [id, `${hashOf(ram)} ${hashOf(state)}`]))
}

/** What of a manifest is edited. */
interface Edited {
  format: number
  xcluster: string
  readonly facts: { cpu: string; readonly qemu: { path: string; mtimeMs: number } }
}

/** Changes a manifest and its hash with it. */
function editManifest(root: string, name: string, edit: (manifest: Edited) => void): void {
  const path = join(root, name, 'manifest.json')
  const [, body = ''] = /"snapshot":\n(.*)\}\n$/.exec(readFileSync(path, 'utf8')) ?? []
  const manifest = JSON.parse(body)
  edit(manifest)
  const edited = JSON.stringify(manifest)
  const hash = createHash('sha256').update(edited).digest('hex')
  writeFileSync(path, `{"sha256":"${hash}","snapshot":\n${edited}}\n`)
}

test('an opened snapshot equals the saved VMs, and stores what VMs have in common once', async () => {
  const root = newRoot()
  await using vms = sampleVms(1)
  const saved = await saveSnapshot(root, 'warm', save => save(vms))
  expect(await contentOf(root, 'warm')).toEqual(contents(vms.vms))
  const [first, second, third] = saved.vms.map(({ ram }) => ram)
  expect([first!.base, second!.base, third!.base]).toEqual([undefined, 1, undefined])
  expect(second!.bytes).toBeLessThan(first!.bytes / 3)
  expect(third!.bytes).toBe(first!.bytes)
  expect(first!.bytes).toBeLessThan(sampleBytes)
  expect(readdirSync(root)).toEqual(['warm'])
})

test('another process adopts the memory that one has opened, and keeps it when that closes it', async () => {
  const root = newRoot()
  await saveSample(root, 'warm')
  const snapshot = await openSnapshot(root, 'warm')
  const before = contents(snapshot.vms)
  await using adopted = await adoptVms(JSON.parse(JSON.stringify(shareVms(snapshot.vms))))
  await snapshot[Symbol.asyncDispose]()
  expect(contents(adopted.vms)).toEqual(before)
  expect(adopted.vms.get(201)).toMatchObject({ nicCount: 3, memoryMiB: 2, isPaused: true })
})

describe('a damaged snapshot is refused', () => {
  let root: string
  const good = new Map<string, Buffer>()
  const pathOf = (name: string) => join(root, 'warm', name)
  beforeAll(async () => {
    root = newRoot()
    await saveSample(root, 'warm')
    for (const name of readdirSync(join(root, 'warm'))) good.set(name, readFileSync(pathOf(name)))
  })

  test(`for each of ${damages} flipped bits or truncated files`, {
    timeout: 60_000 + damages * 200,
  }, async () => {
    const random = randomOf(7)
    const names = [...good.keys()]
    expect(names).toHaveLength(7)
    let refused = 0
    for (let number = 0; number < damages; number++) {
      const name = names[number % names.length]!
      const bytes = good.get(name)!
      const at = random() % bytes.length
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (random() % 8)
      writeFileSync(pathOf(name), number % 4 === 3 ? bytes.subarray(0, at) : flipped)
      const failure = await openSnapshot(root, 'warm').catch(thrown => thrown)
      expect(failure, `${name}, at ${at}, number ${number}`).toMatchObject({ code: 'SNAPSHOT_DAMAGED' })
      refused++
      writeFileSync(pathOf(name), bytes)
    }
    expect(refused).toBe(damages)
    expect((await contentOf(root, 'warm')).size).toBe(3)
  })

  test('with a file that is longer, missing, or of another snapshot, and the list says so', async () => {
    await saveSample(root, 'other', 2)
    const faults: [string, (copy: string) => void, string?][] = [
      ['ram-1: it has', copy => appendFileSync(join(copy, 'ram-1'), 'x'), 'ram-1: it has'],
      ['ENOENT', copy => rmSync(join(copy, 'state-201')), 'it has no file state-201'],
      ['not what was written', copy => cpSync(join(root, 'other/state-2'), join(copy, 'state-2'))],
      ['its manifest is damaged', copy => writeFileSync(join(copy, 'manifest.json'), '{}\n'), 'its manifest'],
      ['ENOENT', copy => rmSync(join(copy, 'manifest.json')), 'ENOENT'],
    ]
    for (const [reason, fault, listed] of faults) {
      cpSync(join(root, 'warm'), join(root, 'copy'), { recursive: true })
      fault(join(root, 'copy'))
      await expect(openSnapshot(root, 'copy')).rejects.toMatchObject({
        ...{ code: 'SNAPSHOT_DAMAGED', target: 'copy' },
        reason: expect.stringContaining(reason),
      })
      const found = (await listSnapshots(root)).find(({ name }) => name === 'copy')
      if (listed) expect(found?.unusable).toContain(listed)
      await removeSnapshot(root, 'copy')
    }
    expect((await listSnapshots(root)).map(({ name }) => name)).toEqual(['other', 'warm'])
  })
})

describe('a snapshot of another machine is refused before it is read:', () => {
  test.for<[string, (manifest: Edited) => void, RegExp]>([
    [
      'its QEMU is gone',
      m => {
        m.facts.qemu.path = '/nowhere/qemu'
      },
      /has no \/nowhere\/qemu/,
    ],
    [
      'its QEMU is another',
      m => {
        m.facts.qemu.mtimeMs -= 1
      },
      /on this machine is another/,
    ],
    [
      'its processor is another',
      m => {
        m.facts.cpu = 'a/b/c/Old One/1'
      },
      /another CPU: Old One/,
    ],
    [
      'xcluster is another',
      m => {
        m.xcluster = '0.0.9'
      },
      /by xcluster 0\.0\.9, and this is/,
    ],
    [
      'its format is another',
      m => {
        m.format = 99
      },
      /another build of xcluster/,
    ],
  ])('%s', async ([, edit, reason]) => {
    const root = newRoot()
    await saveSample(root, 'warm')
    editManifest(root, 'warm', edit)
    rmSync(join(root, 'warm', 'ram-1'))
    const why = { code: 'SNAPSHOT_FOREIGN', kind: 'prerequisite', reason: expect.stringMatching(reason) }
    await expect(openSnapshot(root, 'warm')).rejects.toMatchObject(why)
  })
})

test('names that are invalid, taken or missing are refused, and nothing is saved', async () => {
  const root = newRoot()
  let asked = 0
  const never = async () => {
    asked++
    throw new Error('it was asked for its VMs')
  }
  for (const name of ['', '../up', '.warm', 'a b', 'x'.repeat(33)])
    await expect(saveSnapshot(root, name, never)).rejects.toMatchObject({ code: 'SNAPSHOT_NAME' })
  await expect(openSnapshot(root, '../up')).rejects.toMatchObject({ code: 'SNAPSHOT_NAME' })
  await expect(removeSnapshot(root, '.')).rejects.toMatchObject({ code: 'SNAPSHOT_NAME' })
  await expect(openSnapshot(root, 'warm')).rejects.toMatchObject({
    ...{ code: 'SNAPSHOT_MISSING', kind: 'missing', remedy: 'There are none yet' },
  })
  await saveSample(root, 'warm')
  const before = await contentOf(root, 'warm')
  await expect(saveSnapshot(root, 'warm', never)).rejects.toMatchObject({ code: 'SNAPSHOT_TAKEN' })
  await expect(removeSnapshot(root, 'cold')).rejects.toMatchObject({ remedy: 'There are: warm' })
  expect(asked).toBe(0)
  expect(await contentOf(root, 'warm')).toEqual(before)
  expect(readdirSync(root)).toEqual(['warm'])
})

test('of two that save under one name, one does, and the other is told', async () => {
  const root = newRoot()
  const outcomes = await Promise.allSettled([saveSample(root, 'warm'), saveSample(root, 'warm', 2)])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  expect(failed.reason).toMatchObject({ code: 'SNAPSHOT_TAKEN' })
  expect((await contentOf(root, 'warm')).size).toBe(3)
  expect(readdirSync(root)).toEqual(['warm'])
})

test('a full disk gives one error, and nothing of the snapshot is left', async ({ skip }) => {
  needsRoot(skip)
  const disk = newRoot()
  execFileSync('mkdir', [disk])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
  try {
    await expect(saveSample(disk, 'warm')).rejects.toMatchObject({
      ...{ code: 'SNAPSHOT_FAILED', op: 'save snapshot', target: 'warm' },
      ...{ reason: expect.stringMatching(/space/i), remedy: expect.stringMatching(/^Make room/) },
    })
    expect(readdirSync(disk)).toEqual([])
  } finally {
    execFileSync('umount', [disk])
  }
})

test('killing a process that saves leaves whole snapshots, and the next command clears the rest', async () => {
  const root = newRoot()
  const script = fileURLToPath(new URL('./save-snapshots.ts', import.meta.url))
  const jiti = fileURLToPath(import.meta.resolve('jiti/register'))
  const random = randomOf(3)
  let remains = 0
  for (let round = 0; round < 5; round++) {
    const saver = spawn(process.execPath, ['--import', jiti, script, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(saver.stdout!, 'data')
    await new Promise(resolve => setTimeout(resolve, random() % 60))
    saver.kill('SIGKILL')
    await once(saver, 'close')
    remains += readdirSync(root).filter(name => name.startsWith('.')).length
    const listed = await listSnapshots(root)
    expect(readdirSync(root).filter(name => name.startsWith('.'))).toEqual([])
    for (const { name, unusable } of listed) {
      expect(unusable).toBeUndefined()
      expect((await contentOf(root, name)).size).toBe(3)
      await removeSnapshot(root, name)
    }
  }
  expect(remains).toBeGreaterThan(0)
  expect(readdirSync(root)).toEqual([])
})

describe('a snapshot in one file', () => {
  test('is the same in another place, under its name or another', async () => {
    const [root, other] = [newRoot(), newRoot()]
    await saveSample(root, 'warm')
    const file = join(base, 'warm.xc')
    await exportSnapshot(root, 'warm', file)
    expect(await importSnapshot(other, file)).toBe('warm')
    expect(await importSnapshot(other, file, 'again')).toBe('again')
    expect(await contentOf(other, 'again')).toEqual(await contentOf(root, 'warm'))
    await expect(importSnapshot(other, file)).rejects.toMatchObject({ code: 'SNAPSHOT_TAKEN' })
    expect(readdirSync(other).sort()).toEqual(['again', 'warm'])
  })

  test('is refused when a bit of it is flipped, it is truncated or something else, and nothing is left', {
    timeout: 60_000 + damages * 200,
  }, async () => {
    const [root, other] = [newRoot(), newRoot()]
    await saveSample(root, 'warm')
    const file = join(base, 'damaged.xc')
    await exportSnapshot(root, 'warm', file)
    const bytes = readFileSync(file)
    const random = randomOf(9)
    for (let number = 0; number < damages; number++) {
      const at = random() % bytes.length
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (random() % 8)
      writeFileSync(file, number % 4 === 3 ? bytes.subarray(0, at) : flipped)
      const failure = await importSnapshot(other, file).catch(thrown => thrown)
      expect(failure, `at ${at}, number ${number}`).toMatchObject({ code: 'SNAPSHOT_DAMAGED' })
      expect(await listSnapshots(other)).toEqual([])
    }
    writeFileSync(file, 'something else\n')
    await expect(importSnapshot(other, file)).rejects.toMatchObject({
      reason: 'it is not an exported snapshot',
    })
  })
})
