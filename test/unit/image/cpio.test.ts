import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ArchiveEntry, writeCpio } from '../../../src/image/formats/cpio.ts'

const entries: ArchiveEntry[] = [
  { path: 'usr/share/doc/a', kind: 'file', mode: 0o644, content: Buffer.from('hello') },
  { path: 'init', kind: 'file', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
  { path: 'bin', kind: 'link', target: 'usr/bin' },
  { path: 'tmp', kind: 'directory', mode: 0o1777 },
  { path: 'dev/console', kind: 'device', mode: 0o600, major: 5, minor: 1 },
  { path: 'empty', kind: 'file', mode: 0o600, content: new Uint8Array(0) },
]

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-cpio-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** busybox's cpio is the reference: every test machine has it. */
const cpio = (flags: string, archive: Uint8Array) =>
  execFileSync('busybox', ['cpio', ...flags.split(' ')], {
    input: archive,
    cwd: dir,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })

test('cpio lists an archive with its parent directories, in order', () => {
  const names = cpio('-t', writeCpio(entries)).trim().split('\n')
  expect(names).toEqual([
    'bin',
    'dev',
    'dev/console',
    'empty',
    'init',
    'tmp',
    'usr',
    'usr/share',
    'usr/share/doc',
    'usr/share/doc/a',
  ])
})

test('cpio unpacks an archive with modes, links and devices', () => {
  cpio('-idm', writeCpio(entries))
  expect(readFileSync(join(dir, 'usr/share/doc/a'), 'utf8')).toBe('hello')
  expect(readlinkSync(join(dir, 'bin'))).toBe('usr/bin')
  expect(statSync(join(dir, 'init')).mode & 0o7777).toBe(0o755)
  expect(statSync(join(dir, 'tmp')).mode & 0o7777).toBe(0o1777)
  const console = statSync(join(dir, 'dev/console'))
  expect([console.isCharacterDevice(), console.rdev]).toEqual([true, 0x501])
})

test('the same entries give the same archive, in any order', () => {
  expect(Buffer.compare(writeCpio(entries), writeCpio([...entries].reverse()))).toBe(0)
})

test('a later entry replaces an earlier one with the same path', () => {
  const twice = writeCpio([
    ...entries,
    { path: 'init', kind: 'file', mode: 0o755, content: Buffer.from('mine') },
  ])
  cpio('-idm', twice)
  expect(readFileSync(join(dir, 'init'), 'utf8')).toBe('mine')
})
