import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { readArchive } from '../../../src/overlay/archive.ts'
import { attributesIn } from '../../../src/overlay/pax.ts'

type Entry = Parameters<ReturnType<typeof pack>['entry']>[0]

/** A tar archive with these entries, each with its content. */
async function tar(...entries: readonly (readonly [Entry, string?])[]): Promise<Buffer> {
  const archive = pack()
  for (const [header, content = ''] of entries) archive.entry(header, content)
  archive.finalize()
  const pieces: Buffer[] = []
  for await (const piece of archive) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

const read = (bytes: Uint8Array) => readArchive(bytes, '/ovl/x/tar')

describe('an archive of a whole root', () => {
  test('gives extended attributes, bytes that are no text among them', async ({ skip }) => {
    const root = mkdtempSync(join(tmpdir(), 'attributes-'))
    const long = 'd/'.repeat(60)
    mkdirSync(join(root, long), { recursive: true })
    for (const name of ['first', `${long}capable`, 'last']) writeFileSync(join(root, name), name)
    const set = spawnSync('setcap', ['cap_setuid+ep', join(root, long, 'capable')])
    skip(set.status !== 0, 'setcap needs root, and a file system with attributes')
    for (const format of ['pax', 'posix']) {
      const options = [`--format=${format}`, '--xattrs', '--xattrs-include=security.*']
      const names = ['first', 'd', 'last']
      const bytes = execFileSync('tar', ['-C', root, ...options, '-cf', '-', ...names])
      const { entries } = await readArchive(bytes, 'root.tar', { whole: true })
      const having = entries.flatMap(({ path, attributes = [] }) =>
        attributes.map(([name, value]) => [path, name, Buffer.from(value).toString('hex')]),
      )
      // VFS_CAP_REVISION_2 with its effective bit, and CAP_SETUID: bit 7.
      const value = '0100000280000000000000000000000000000000'
      expect(having).toEqual([[`${long}capable`, 'security.capability', value]])
      expect((await readArchive(bytes, 'ovl')).entries.every(entry => !('attributes' in entry))).toBe(true)
    }
  })

  test('has no attributes beyond where it breaks off', () => {
    const record = (text: string) => Buffer.from(`${text.length + 4} ${text}\n`)
    const header = (type: string, size: number) => {
      const block = Buffer.alloc(512)
      block.write('name')
      block.write(size.toString(8).padStart(11, '0'), 124)
      block.write(type, 156)
      return block
    }
    const records = record('SCHILY.xattr.user.a=1234')
    const whole = Buffer.concat([
      header('x', records.length),
      records,
      Buffer.alloc(512 - records.length),
      header('0', 0),
    ])
    expect(attributesIn(whole)).toEqual([[['user.a', Uint8Array.from(Buffer.from('1234'))]]])
    for (let length = 0; length < whole.length; length++) attributesIn(whole.subarray(0, length))
    expect(attributesIn(whole.subarray(0, 1024))).toEqual([])
    const wrong = Buffer.from(whole)
    wrong.write('99', 512)
    expect(attributesIn(wrong).flat()).toEqual([])
  })
})

describe('an archive for guests', () => {
  test('gives files, directories and links with their owners and modes, at paths without a leading slash', async () => {
    const { entries, remarks } = await read(
      await tar(
        [{ name: './', type: 'directory' }],
        [{ name: './etc/', type: 'directory', mode: 0o750, uid: 5, gid: 6 }],
        [{ name: './etc//a', mode: 0o600, uid: 1, gid: 2 }, 'text'],
        [{ name: '/usr/bin/b', mode: 0o755 }, '#!'],
        [{ name: 'etc/link', type: 'symlink', linkname: '/etc/a' }],
        [{ name: 'etc/again', type: 'link', linkname: './etc/a' }],
      ),
    )
    const owner = { uid: 0, gid: 0 }
    expect(entries).toEqual([
      { path: 'etc', kind: 'directory', mode: 0o750, uid: 5, gid: 6 },
      { path: 'etc/a', kind: 'file', mode: 0o600, uid: 1, gid: 2, content: Buffer.from('text') },
      { path: 'usr/bin/b', kind: 'file', mode: 0o755, ...owner, content: Buffer.from('#!') },
      { path: 'etc/link', kind: 'link', target: '/etc/a', ...owner },
      { path: 'etc/again', kind: 'file', mode: 0o600, ...owner, content: Buffer.from('text') },
    ])
    expect(remarks).toEqual([])
  })

  test.each(['gzip', 'xz', 'bzip2', 'zstd'])('may be compressed with %s', async program => {
    const plain = await tar([{ name: 'a' }, 'x'.repeat(5000)])
    const packed = execFileSync(program, ['-c'], { input: plain })
    expect((await read(packed)).entries).toMatchObject([
      { path: 'a', content: Buffer.from('x'.repeat(5000)) },
    ])
  })

  test('has its devices and set-user-ID programs remarked', async () => {
    const { entries, remarks } = await read(
      await tar(
        [{ name: 'dev/null', type: 'character-device', mode: 0o666, devmajor: 1, devminor: 3 }],
        [{ name: 'bin/su', mode: 0o4755 }, 'x'],
        [{ name: 'run/pipe', type: 'fifo', mode: 0o600 }],
      ),
    )
    expect(entries).toMatchObject([
      { kind: 'device', type: 'char', major: 1, minor: 3 },
      { kind: 'file', mode: 0o4755 },
      { kind: 'device', type: 'fifo' },
    ])
    expect(remarks).toEqual([
      '/ovl/x/tar has a device, /dev/null',
      '/ovl/x/tar has a program with set-user-ID, /bin/su',
    ])
  })

  test.each(['../etc/passwd', 'a/../../b', '/../x'])('is refused for the path %s', async name => {
    await expect(read(await tar([{ name }, 'x']))).rejects.toMatchObject({
      code: 'OVERLAY_UNUSABLE',
      reason: `it has the path '${name}', which leads out of the guest's root`,
    })
  })

  test('is refused when a hard link names a file that it does not have', async () => {
    const bytes = await tar([{ name: 'a', type: 'link', linkname: 'nowhere' }])
    await expect(read(bytes)).rejects.toThrow('/a is a hard link to nowhere, which it does not have')
  })

  test('is refused when it is something else, with its first characters', async () => {
    const text = `this is a log, and no archive\n${'x'.repeat(1000)}`
    await expect(read(Buffer.from(text))).rejects.toThrow(
      `/ovl/x/tar: it gives ${text.length} bytes that are no tar archive, beginning with 'this is a log, and no archive.`,
    )
    await expect(read(Buffer.alloc(0))).rejects.toThrow(
      'it gives no output where it should give a tar archive',
    )
  })

  test('is refused when it is cut', async () => {
    const whole = await tar([{ name: 'a' }, 'x'.repeat(5000)])
    await expect(read(whole.subarray(0, 3000))).rejects.toMatchObject({ code: 'OVERLAY_UNUSABLE' })
    const packed = execFileSync('gzip', ['-c'], { input: whole })
    await expect(read(packed.subarray(0, packed.length - 20))).rejects.toMatchObject({
      code: 'OVERLAY_UNUSABLE',
    })
  })

  test('may be empty', async () => {
    expect(await read(await tar())).toEqual({ entries: [], remarks: [] })
  })
})
