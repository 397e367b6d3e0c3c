import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  fchownSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { closeFd, lockHolders, lockOpen, Memfd, sealedMemfd } from '../../../src/sys/index.ts'
import { loadHeld } from '../../../src/vm/snapshot/held.ts'
import { closeLoaded, type Loaded } from '../../../src/vm/snapshot/store.ts'
import { test } from '../../support/leaks.ts'
import { saved } from './sample.ts'

const root = mkdtempSync(join(tmpdir(), 'xcluster-held-'))
afterAll(() => rmSync(root, { recursive: true }))

const inRoot = (key: string) => join(root, key)
const load = async ({ directory, key }: { directory: string; key: string }): Promise<Loaded> =>
  (await loadHeld(directory, key, systemClock))!
/** Equal for one memory. */
const inode = ({ fd }: Memfd) => statSync(`/proc/self/fd/${fd}`).ino
const content = ({ fd }: Memfd) => readFileSync(`/proc/self/fd/${fd}`)

async function holder(template: { directory: string; key: string }): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('hold-template.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--import', 'jiti/register', script, template.directory, template.key],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout!, 'data')
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('who loads a template at one time shares one memory, and the last one to close it ends it', async () => {
  const template = await saved(inRoot, 1, 4)
  const all = await Promise.all([load(template), load(template), load(template)])
  expect(new Set(all.map(({ ram }) => inode(ram))).size).toBe(1)
  expect(new Set(all.map(({ state }) => inode(state))).size).toBe(1)
  const before = content(all[0]!.ram)
  await closeLoaded(all[0]!)
  const later = await load(template)
  expect(inode(later.ram)).toBe(inode(all[1]!.ram))
  expect(content(later.ram).equals(before)).toBe(true)
  for (const each of [all[1]!, all[2]!, later]) await closeLoaded(each)
  const manifest = openSync(join(template.directory, 'manifest.json'), 'r')
  expect(lockHolders(manifest)).toEqual([])
  closeFd(manifest)
})

test('the memory of another process outlives its kill -9, and is not read from the disk', async () => {
  const template = await saved(inRoot, 2, 4)
  const other = await holder(template)
  truncateSync(join(template.directory, 'ram'), 10) // reading it would fail
  const own = await load(template)
  await killed(other)
  expect(content(own.ram)).toHaveLength(4 << 20)
  await closeLoaded(own)
  await expect(load(template)).rejects.toMatchObject({ code: 'TEMPLATE_DAMAGED' })
})

test('memory of the right name that is not sealed, of the wrong size or of another user is not taken', async () => {
  const template = await saved(inRoot, 3, 4)
  const probe = await load(template)
  const { ram, state } = probe
  const [ramName, stateName] = [ram, state].map(({ name }) => name)
  expect(ramName).toMatch(/^xcluster-ram-[\da-f]{32}$/)
  const good = content(ram)
  const stateBytes = content(state)
  await closeLoaded(probe)
  const lock = openSync(join(template.directory, 'manifest.json'), 'r')
  expect(lockOpen(lock, 'shared')).toBe(true)
  const impostor = async (bytes: number, seals: boolean, uid = process.getuid!()) => {
    const fill = (fd: number, content: Buffer) => void writeSync(fd, content)
    await using falseState = await sealedMemfd(stateName!, fd => fill(fd, stateBytes))
    await using falseRam = new Memfd(ramName!)
    fill(falseRam.fd, Buffer.alloc(bytes, 1))
    fchownSync(falseRam.fd, uid, process.getgid!())
    if (seals) falseRam.seal()
    const own = await load(template)
    const isTaken = inode(own.ram) === inode(falseRam)
    if (!isTaken) expect(content(own.ram).equals(good)).toBe(true)
    expect(inode(own.state) === inode(falseState)).toBe(isTaken)
    await closeLoaded(own)
    return isTaken
  }
  expect(await impostor(4 << 20, false)).toBe(false)
  expect(await impostor(3 << 20, true)).toBe(false)
  if (process.getuid!() === 0) expect(await impostor(4 << 20, true, 65_534)).toBe(false)
  // What makes the difference is the seal: who can make this is the user whose cache it is.
  expect(await impostor(4 << 20, true)).toBe(true)
  closeFd(lock)
})

test('a reader that has stopped is waited for, and then it is read here', async () => {
  const template = await saved(inRoot, 4, 2)
  const stuck = openSync(join(template.directory, 'manifest.json'), 'r')
  expect(lockOpen(stuck, 'exclusive')).toBe(true)
  const began = Date.now()
  const own = await load(template)
  expect(Date.now() - began).toBeGreaterThan(4000)
  expect(content(own.ram)).toHaveLength(2 << 20)
  await closeLoaded(own)
  closeFd(stuck)
})
