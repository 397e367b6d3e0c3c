import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { recallVerdict, rememberVerdict, standingOf, verdictKey } from '../../../src/vm/accel/accel-cache.ts'
import { probeKernel, probeStatus } from '../../../src/vm/accel/probe-kernel.ts'
import { mayRead } from '../../../src/vm/qemu/boot-files.ts'

test('the KVM probe is an ELF file with a PVH entry at its code', () => {
  const elf = Buffer.from(probeKernel())
  expect(elf.subarray(0, 7).toString('latin1')).toBe('\x7fELF\x02\x01\x01')
  const note = elf.indexOf('Xen\0')
  expect([elf.readUInt32LE(note - 12), elf.readUInt32LE(note - 8), elf.readUInt32LE(note - 4)]).toEqual([
    4, 8, 18,
  ])
  expect(elf.readBigUInt64LE(note + 4)).toBe(0x100000n)
  expect(elf.subarray(0x1000).toString('hex')).toBe('b010e6f4f4ebfd')
  expect(probeStatus).toBe(33)
})

test('the result of the KVM check is stored for its key alone, and a damaged file counts as none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  expect(recallVerdict(directory, 'a')).toBeUndefined()
  await rememberVerdict(directory, 'a', { trouble: 'it hangs' })
  expect(recallVerdict(directory, 'a')).toEqual({ trouble: 'it hangs' })
  expect(recallVerdict(directory, 'b')).toBeUndefined()
  await rememberVerdict(directory, 'b', { trouble: null })
  expect(recallVerdict(directory, 'b')).toEqual({ trouble: null })
  writeFileSync(join(directory, 'accelerator.json'), '{"key":"b","answer":7}')
  expect(recallVerdict(directory, 'b')).toBeUndefined()
  writeFileSync(join(directory, 'accelerator.json'), '{"key":')
  expect(recallVerdict(directory, 'b')).toBeUndefined()
})

test('a verdict on KVM holds for all clusters of this machine, whatever numbers their users have', () => {
  const qemu = { path: process.execPath, version: '7.2.22' }
  const key = (number: number) => verdictKey(qemu, { uid: number, gid: number })
  expect(key(2_000_001)).toBe(key(3_000_001))
  expect(verdictKey({ ...qemu, version: '8.0.0' }, { uid: 2_000_001, gid: 2_000_001 })).not.toBe(
    key(2_000_001),
  )
  expect(verdictKey(qemu, undefined)).not.toBe(key(2_000_001))
})

test('who wants /dev/kvm is its owner, of its group, or another', () => {
  const device = { uid: 10, gid: 20 }
  expect(standingOf({ uid: 10, gid: 1 }, device)).toBe('owner')
  expect(standingOf({ uid: 1, gid: 20 }, device)).toBe('group')
  expect(standingOf({ uid: 1, gid: 1, groups: [2, 20] }, device)).toBe('group')
  expect(standingOf({ uid: 1, gid: 1 }, device)).toBe('other')
  expect(standingOf({ uid: 0, gid: 0 }, undefined)).toBe('other')
})

test('mayRead() checks owner, group and others, in this order', () => {
  const file = (mode: number) => ({ mode, uid: 10, gid: 20 })
  expect(mayRead({ uid: 1, gid: 1 }, file(0o644))).toBe(true)
  expect(mayRead({ uid: 1, gid: 1 }, file(0o640))).toBe(false)
  expect(mayRead({ uid: 1, gid: 20 }, file(0o640))).toBe(true)
  expect(mayRead({ uid: 1, gid: 1, groups: [20] }, file(0o640))).toBe(true)
  expect(mayRead({ uid: 10, gid: 1 }, file(0o044))).toBe(false)
})
