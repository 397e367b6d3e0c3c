import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { spawnOwner } from '../../../src/owner/launch.ts'
import { makeDirectory } from '../../../src/sys/index.ts'

const root = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
afterAll(() => rmSync(root, { recursive: true }))

test('a directory is made with those above it, all with the same mode, and may exist already', () => {
  const path = join(root, 'a/b/c')
  makeDirectory(path, 0o700)
  makeDirectory(path, 0o755)
  makeDirectory(`${path}/`, 0o755)
  for (const each of [path, join(root, 'a/b'), join(root, 'a')])
    expect(statSync(each).mode & 0o777).toBe(0o700)
  symlinkSync(path, join(root, 'link'))
  makeDirectory(join(root, 'link'))
  makeDirectory(join(root, 'link/d'))
  expect(statSync(join(path, 'd')).isDirectory()).toBe(true)
})

test('a directory that cannot be made is refused with the words of the system', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => makeDirectory(join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(join(root, 'file/below'))).toThrow('ENOTDIR')
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
  expect(() => makeDirectory(join(root, 'dangling'))).toThrow('EEXIST')
})

test('a directory that a special file system cannot make is refused, as the state directory of a cluster too', () => {
  expect(() => makeDirectory('/proc/xcluster/a/b')).toThrow(
    "ENOENT: no such file or directory, mkdir '/proc/xcluster'",
  )
  const logs = '/proc/xcluster/state'
  const places = { directory: root, lock: join(root, 'lock'), socket: join(root, 'socket') }
  expect(() => spawnOwner({ ...places, logs, ownerLog: join(logs, 'owner.log') }, { env: {} })).toThrow(
    expect.objectContaining({ code: 'STATE_UNWRITABLE', target: logs }),
  )
})
