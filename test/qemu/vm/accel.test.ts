import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { kvmTrouble } from '../../../src/vm/accel/accel-probe.ts'
import { detectAccel, findQemu, type Qemu } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { logDirectory, ownUser } from './guest.ts'

const cache = logDirectory()
afterAll(() => cache.remove())

let qemu: Qemu
beforeAll(async () => {
  qemu = await findQemu({ searchPath: process.env.PATH! })
})

test('findQemu finds QEMU with its version, and refuses a program that is not QEMU', async () => {
  expect(qemu.version).toMatch(/^\d+\.\d+/)
  await expect(findQemu({ searchPath: '/nowhere:/no' })).rejects.toMatchObject({
    code: 'QEMU_MISSING',
    kind: 'prerequisite',
    remedy: 'Run: sudo apt-get install qemu-system-x86',
  })
  await expect(findQemu({ given: '/bin/true', searchPath: '' })).rejects.toThrow('/bin/true is not QEMU')
})

test('findQemu asks QEMU once, and again when its file has changed', async () => {
  const path = join(cache.path, 'qemu')
  copyFileSync(qemu.path, path)
  const find = () => findQemu({ given: path, searchPath: '', cacheDir: cache.path })
  const { version, build, monitor } = qemu
  expect(await find()).toEqual({ path, version, build, monitor })
  const memory = join(cache.path, 'qemu.json')
  const stored = readFileSync(memory, 'utf8')
  writeFileSync(memory, stored.replace(`"version":"${version}"`, '"version":"remembered"'))
  expect((await find()).version).toBe('remembered')
  utimesSync(path, 1, 1)
  expect((await find()).version).toBe(version)
})

test('findQemu asks a script each time: the QEMU that it runs may be another', async () => {
  const path = join(cache.path, 'script')
  const find = async (version: string) => {
    const words = `QEMU emulator version ${version} (Debian 1:${version}-1)`
    writeFileSync(join(cache.path, 'words'), words)
    return await findQemu({ given: path, searchPath: '', cacheDir: cache.path })
  }
  writeFileSync(path, `#!/bin/sh\nexec cat ${cache.path}/words\n`, { mode: 0o755 })
  for (const version of ['10.0.13', '11.1.3'])
    expect(await find(version)).toEqual({ path, version, build: `Debian 1:${version}-1`, monitor: 'option' })
})

test('detectAccel with auto gives a reason and a notice when it is not KVM, and the same from its cache', async () => {
  const notices: string[] = []
  const ask = () =>
    detectAccel({
      want: 'auto',
      qemu,
      identity: ownUser,
      cacheDir: cache.path,
      notice: text => notices.push(text),
    })
  const first = await ask()
  expect(await ask()).toEqual(first)
  expect(notices).toHaveLength(first.kind === 'kvm' ? 0 : 2)
  if (first.kind === 'tcg') expect(notices[0]).toContain(first.reason)
})

test('detectAccel with kvm throws KVM_UNUSABLE where KVM does not work, and does not fall back to TCG', async () => {
  const ask = () => detectAccel({ want: 'kvm', qemu, cacheDir: cache.path, notice: expect.unreachable })
  const trouble = await kvmTrouble({ qemu: qemu.path })
  if (trouble === undefined) expect(await ask()).toEqual({ kind: 'kvm' })
  else await expect(ask()).rejects.toMatchObject({ code: 'KVM_UNUSABLE', kind: 'prerequisite' })
})

test('the KVM probe reports a guest that has not ended at its deadline', async () => {
  const trouble = await kvmTrouble({ qemu: qemu.path, deadlineMs: 1 })
  expect(trouble).toBe('a test guest with three instructions did not end within 0.001 s')
})
