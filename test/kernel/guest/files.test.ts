import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { getBytes, getContent, getFiles, putFiles } from '../../../src/files/index.ts'
import { type FileRecord, lastRecord, pieceBytes, recordBytes } from '../../../src/files/record.ts'
import { spawnCommand } from '../../../src/stream/index.ts'
import { test as plain } from '../../support/leaks.ts'
import { markDescendants } from '../../support/processes.ts'
import { guestProgram, RealGuest } from '../../support/real-guest.ts'

/** The real program in the part of a guest, which has this machine's files, and a directory for them. */
const test = plain.extend<{ guest: Files }>({
  guest: async ({ census: _ }, use) => {
    markDescendants()
    await using real = new RealGuest()
    const root = await mkdtemp(join(tmpdir(), 'files-'))
    await use(new Files(real, root))
    await rm(root, { recursive: true })
  },
})

class Files {
  readonly name = 'vm-001'
  readonly real: RealGuest
  readonly root: string
  /** The arguments with which the program starts; a test replaces it by a program that is hostile. */
  program: readonly string[] = [guestProgram]

  constructor(real: RealGuest, root: string) {
    this.real = real
    this.root = root
  }

  at(name: string): string {
    return join(this.root, name)
  }

  spawn([, ...words]: readonly string[]) {
    const spec = { words: [...this.program, ...words] }
    return spawnCommand(this.real.channel.streams, spec, { clock: systemClock })
  }
}

async function tree(root: string): Promise<void> {
  await mkdir(join(root, 'sub/deeper'), { recursive: true })
  await writeFile(join(root, 'a'), 'one')
  await chmod(join(root, 'a'), 0o4751)
  await writeFile(join(root, 'sub/line\nbreak'), 'two')
  await writeFile(join(root, `sub/deeper/${'long'.repeat(60)}`), '')
  await symlink('../a', join(root, 'sub/link'))
  await utimes(join(root, 'sub'), 1e9, 1e9)
  await chmod(join(root, 'sub/deeper'), 0o555)
}

/** Every path below it, with kind, mode, time of a directory, and content. */
async function listing(root: string, { below = '', times = true } = {}): Promise<string[]> {
  const lines: string[] = []
  for (const name of (await readdir(join(root, below))).sort()) {
    const path = join(root, below, name)
    const status = await lstat(path)
    const mode = `${(status.mode & 0o7777).toString(8)} ${times ? Math.round(status.mtimeMs) : ''}`
    if (status.isSymbolicLink()) lines.push(`${below}/${name} -> ${await readlink(path)}`)
    else if (status.isFile()) lines.push(`${below}/${name} ${mode} ${await readFile(path)}`)
    else
      lines.push(`${below}/${name}/ ${mode}`, ...(await listing(root, { below: `${below}/${name}`, times })))
  }
  return lines
}

const names = (path: string) => readdir(path).then(found => found.sort())

test('a directory goes to a guest and comes back with modes, times, links and odd names', async ({
  guest,
}) => {
  await mkdir(guest.at('from'))
  await tree(guest.at('from'))
  const put = await putFiles(guest, [guest.at('from')], { path: guest.at('there') })
  expect(put).toEqual({ files: 3, bytes: 6, skipped: [] })
  expect(await listing(guest.at('there'))).toEqual(await listing(guest.at('from')))
  const got = await getFiles(guest, [guest.at('there')], { target: guest.at('back') })
  expect(got).toEqual({
    files: 3,
    bytes: 6,
    skipped: ['there/a was set-user-id or set-group-id, and is not here'],
  })
  await chmod(guest.at('from/a'), 0o751)
  expect(await listing(guest.at('back'))).toEqual(await listing(guest.at('from')))
  expect(await names(guest.root)).toEqual(['back', 'from', 'there'])
})

test('content goes to a guest from text, bytes and streams, with a mode, and comes back', async ({
  guest,
}) => {
  await putFiles(guest, [{ text: 'hé' }], { path: guest.at('text') })
  await putFiles(guest, [Buffer.from('bytes')], { path: guest.at('bytes'), mode: 0o600 })
  const big = Buffer.alloc(3_000_001, 'abcdefg')
  await putFiles(guest, [Readable.from([big.subarray(0, 10), big.subarray(10)])], { path: guest.at('big') })
  expect(String(await getBytes(guest, guest.at('text')))).toBe('hé')
  expect((await lstat(guest.at('bytes'))).mode & 0o777).toBe(0o600)
  expect((await getBytes(guest, guest.at('big'))).equals(big)).toBe(true)
  expect(String(await getBytes(guest, '/proc/self/comm'))).toBe('xcluster-guest\n')
})

test('a copy goes into a directory as with cp, and merges with one that exists', async ({ guest }) => {
  await mkdir(guest.at('from/both'), { recursive: true })
  await writeFile(guest.at('from/both/new'), 'new')
  await mkdir(guest.at('to/from/both'), { recursive: true })
  await writeFile(guest.at('to/from/both/old'), 'old')
  await putFiles(guest, [guest.at('from')], { path: guest.at('to'), how: 'auto' })
  expect(await names(guest.at('to/from/both'))).toEqual(['new', 'old'])
  await putFiles(guest, [guest.at('from/both/new')], { path: `${guest.at('to')}/` })
  expect(await names(guest.at('to'))).toEqual(['from', 'new'])
  await getFiles(guest, [guest.at('to/from'), guest.at('to/new')], { target: `${guest.root}/` })
  expect(await names(guest.at('from/both'))).toEqual(['new', 'old'])
})

test.for<[string, (guest: Files) => Promise<unknown>, RegExp]>([
  [
    'onto a directory',
    guest => putFiles(guest, [{ text: 'x' }], { path: guest.at('keep') }),
    /^copy files to vm-001: .*\/keep: Is a directory\.?$/,
  ],
  [
    'of a directory onto a file',
    guest => putFiles(guest, [guest.at('other')], { path: guest.at('keep/file') }),
    /Not a directory/,
  ],
  [
    'into what does not exist',
    guest => putFiles(guest, [{ text: 'x' }], { path: guest.at('nope/x') }),
    /nope: No such file or directory/,
  ],
  ['onto a device', guest => putFiles(guest, [{ text: 'x' }], { path: '/dev/null' }), /null: File exists/],
  [
    'to a path that is too long',
    guest => putFiles(guest, [{ text: 'x' }], { path: guest.at('x'.repeat(300)) }),
    /File name too long/,
  ],
  ['to an empty path', guest => putFiles(guest, [{ text: 'x' }], { path: '' }), /the path is empty/],
  ['to a path with a NUL byte', guest => putFiles(guest, [{ text: 'x' }], { path: 'a\0b' }), /NUL byte/],
  [
    'of a source that does not exist',
    guest => putFiles(guest, [guest.at('nope')], { path: guest.at('x') }),
    /^read .*nope: No such file or directory/,
  ],
  [
    'of a device',
    guest => putFiles(guest, ['/dev/zero'], { path: guest.at('x') }),
    /^read .dev.zero: it is neither a file nor a directory/,
  ],
  [
    'of content into a directory',
    guest => putFiles(guest, [{ text: 'x' }], { path: `${guest.at('keep')}/` }),
    /needs the name of a file/,
  ],
])(
  'a copy to a guest %s is refused in a sentence, and changes nothing',
  async ([, does, words], { guest }) => {
    await mkdir(guest.at('keep'))
    await mkdir(guest.at('other'))
    await writeFile(guest.at('keep/file'), 'kept')
    const before = await listing(guest.root, { times: false })
    await expect(does(guest)).rejects.toThrow(words)
    expect(await listing(guest.root, { times: false })).toEqual(before)
    expect(guest.real.channel.streams.count).toBe(0)
  },
)

test('a copy to a full disk says so and changes nothing, and neither does a source that breaks off', async ({
  guest,
}) => {
  await writeFile(guest.at('keep'), 'kept')
  // A limit of the size of files fails in the same place as a full disk, without one.
  guest.program = ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -f 100; exec "$0" "$@"', guestProgram]
  const much = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000)))
  await expect(putFiles(guest, [much], { path: guest.at('keep') })).rejects.toThrow(/keep: File too large/)
  expect(await names(guest.root)).toEqual(['keep'])
  async function* breaking() {
    yield Buffer.alloc(1_000_00)
    throw new Error('the tape is torn')
  }
  await expect(putFiles(guest, [breaking()], { path: guest.at('keep') })).rejects.toMatchObject({
    code: 'FILE_SOURCE',
    reason: 'the tape is torn',
  })
  expect(await names(guest.root)).toEqual(['keep'])
  expect(String(await readFile(guest.at('keep')))).toBe('kept')
})

test.for<[string, (guest: Files) => Promise<unknown>, RegExp]>([
  [
    'of what does not exist',
    guest => getFiles(guest, ['/nope'], { target: guest.at('x') }),
    /^copy files from vm-001: \/nope: No such file or directory/,
  ],
  ['of a directory as content', guest => getBytes(guest, guest.at('keep')), /Is a directory/],
  ['of a device as content', guest => getBytes(guest, '/dev/zero'), /is a socket, pipe or device/],
  [
    'onto a directory',
    guest => getFiles(guest, ['/proc/version'], { target: guest.at('keep') }),
    /keep: it is a directory/,
  ],
  [
    'into what does not exist',
    guest => getFiles(guest, ['/proc/version'], { target: guest.at('nope/x') }),
    /^write .*nope\/x: /,
  ],
  [
    'into a file',
    guest => getFiles(guest, ['/proc/version'], { target: `${guest.at('keep/file')}/` }),
    /[Nn]ot a directory/,
  ],
])(
  'a copy from a guest %s is refused in a sentence, and changes nothing',
  async ([, does, words], { guest }) => {
    await mkdir(guest.at('keep'))
    await mkdir(guest.at('other'))
    await writeFile(guest.at('keep/file'), 'kept')
    const before = await listing(guest.root, { times: false })
    await expect(does(guest)).rejects.toThrow(words)
    expect(await listing(guest.root, { times: false })).toEqual(before)
  },
)

const record = (kind: FileRecord['kind'], name: string, more: Partial<FileRecord> = {}) =>
  recordBytes({ kind, name, mode: 0o755, mtimeNs: 0n, target: '', ...more })
const file = (name: string) =>
  Buffer.concat([record('file', name), pieceBytes(Buffer.from('evil')), pieceBytes(new Uint8Array())])

test.for<[string, readonly Uint8Array[]]>([
  ['a path upwards', [file('../evil')]],
  ['a path upwards below a directory', [record('directory', 'd'), file('d/../../evil')]],
  ['an absolute path', [file('/tmp/evil')]],
  ['an empty name', [file('d//evil')]],
  [
    'a path below a link',
    [record('directory', 'd'), record('link', 'd/l', { target: 'x' }), file('d/l/evil')],
  ],
  ['a path below a file', [file('f'), file('f/evil')]],
  ['a file over a link', [record('link', 'l', { target: 'l/x' }), file('l'), file('l')]],
  ['a directory twice', [record('directory', 'd'), record('directory', 'd')]],
  ['no end', [file('f')]],
])('a hostile guest that sends %s writes nothing', async ([what, records], { guest }) => {
  await mkdir(guest.at('in'))
  const bytes = Buffer.concat([...records, ...(what === 'no end' ? [] : [lastRecord])])
  await writeFile(guest.at('records'), bytes)
  guest.program = ['/bin/sh', '-c', `exec cat ${guest.at('records')}`]
  const copying = getFiles(guest, ['/x'], { target: guest.at('in/copy') })
  await expect(copying).rejects.toMatchObject({
    code: expect.stringMatching(/^(FILE_UNSAFE|FILE_TARGET|GET_FAILED)$/),
  })
  expect(await names(guest.root)).toEqual(['in', 'records'])
  expect(await names(guest.at('in'))).toEqual([])
})

test('links out of a copy and devices from a guest are left out, and said', async ({ guest }) => {
  const links = ['/etc/passwd', '../..', 'in', '../other/x']
  const records = [
    record('directory', 'd'),
    file('d/in'),
    ...links.map((target, index) => record('link', `d/l${index}`, { target })),
    record('other', 'd/dev\x1b[31m'),
    lastRecord,
  ]
  await writeFile(guest.at('records'), Buffer.concat(records))
  guest.program = ['/bin/sh', '-c', `exec cat ${guest.at('records')}`]
  const { skipped } = await getFiles(guest, ['/x'], { target: guest.at('copy') })
  expect(skipped).toEqual([
    'd/l0 is a link out of it, to /etc/passwd',
    'd/l1 is a link out of it, to ../..',
    'd/l3 is a link out of it, to ../other/x',
    'd/dev\\x1b[31m is a socket, pipe or device',
  ])
  expect(await names(guest.at('copy'))).toEqual(['in', 'l2'])
})

test('a gibibyte comes from a guest in flat memory on this side', async ({ guest }) => {
  await writeFile(guest.at('sparse'), '')
  await truncate(guest.at('sparse'), 1 << 30)
  const before = process.memoryUsage.rss()
  let [most, bytes] = [0, 0]
  const target = {
    write(piece: Uint8Array) {
      bytes += piece.length
      most = Math.max(most, process.memoryUsage.rss())
      return true
    },
  }
  await getContent(guest, guest.at('sparse'), { target: target as never })
  expect(bytes).toBe(1 << 30)
  expect((most - before) / (1 << 20)).toBeLessThan(150)
})
