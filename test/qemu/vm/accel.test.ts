import { readFileSync, writeFileSync } from 'node:fs'
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

test('findQemu runs QEMU for its version once, and again when its file has changed', async () => {
  const [path, asked] = [`${cache.path}/qemu`, `${cache.path}/asked`]
  const release = (version: string) =>
    writeFileSync(path, `#!/bin/sh\necho >>${asked}\necho QEMU emulator version ${version}\n`, {
      mode: 0o755,
    })
  const find = async () => (await findQemu({ given: path, searchPath: '', cacheDir: cache.path })).version
  release('9.1')
  expect([await find(), await find(), readFileSync(asked, 'utf8')]).toEqual(['9.1', '9.1', '\n'])
  release('10.0')
  expect([await find(), readFileSync(asked, 'utf8')]).toEqual(['10.0', '\n\n'])
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
