import { execFileSync } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { ArchiveEntry } from '../../../src/image/index.ts'
import { readArchive } from '../../../src/overlay/archive.ts'
import { writeTar } from '../../../src/overlay/tar.ts'

const entries: ArchiveEntry[] = [
  { path: 'etc', kind: 'directory', mode: 0o755, uid: 0, gid: 0 },
  { path: 'etc/who', kind: 'file', mode: 0o640, uid: 7, gid: 8, content: Buffer.from('me\n') },
  { path: 'etc/link', kind: 'link', target: 'who', uid: 0, gid: 0 },
  { path: `${'long/'.repeat(60)}name`, kind: 'file', mode: 0o755, uid: 0, gid: 0, content: Buffer.alloc(0) },
  { path: 'dev/null', kind: 'device', mode: 0o666, uid: 0, gid: 0, major: 1, minor: 3 },
]

test('entries are the same when they are read back', async () => {
  const read = await readArchive(await buffer(writeTar(entries)), 'it')
  const plain = (all: readonly ArchiveEntry[]) =>
    all.map(entry => ({ ...entry, ...('content' in entry && { content: [...entry.content] }) }))
  expect(plain(read.entries)).toMatchObject(plain(entries))
})

test('tar(1) lists them with their modes, owners and targets', async () => {
  const input = await buffer(writeTar(entries))
  const listed = execFileSync('tar', ['-tvf', '-', '--numeric-owner', '--utc'], { input, encoding: 'utf8' })
  expect(listed.split('\n').map(line => line.replace(/\s+/g, ' '))).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/',
    '-rw-r----- 7/8 3 1970-01-01 00:00 etc/who',
    'lrwxrwxrwx 0/0 0 1970-01-01 00:00 etc/link -> who',
    `-rwxr-xr-x 0/0 0 1970-01-01 00:00 ${'long/'.repeat(60)}name`,
    'crw-rw-rw- 0/0 1,3 1970-01-01 00:00 dev/null',
    '',
  ])
})
