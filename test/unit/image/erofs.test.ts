import { describe, expect, test } from 'vitest'
import type { ArchiveEntry } from '../../../src/image/formats/cpio.ts'
import { writeErofs } from '../../../src/image/formats/erofs.ts'
import { readErofs } from '../../support/erofs-reader.ts'

const file = (path: string, text: string, mode = 0o644): ArchiveEntry => ({
  path,
  kind: 'file',
  mode,
  content: Buffer.from(text),
})

describe('an EROFS image', () => {
  test('keeps contents of all lengths, inline and in blocks', () => {
    const lengths = [0, 1, 1023, 1024, 1025, 4032, 4095, 4096, 4097, 8192, 100_000]
    const image = writeErofs(lengths.map(length => file(`f${length}`, 'x'.repeat(length))))
    const seen = readErofs(image).map(({ path, content }) => [path, content.length, new Set(content).size])
    expect(new Map(seen.map(([path, ...rest]) => [path, rest]))).toEqual(
      new Map(lengths.map(length => [`f${length}`, [length, Math.min(length, 1)]])),
    )
  })

  test('keeps modes, owners, times, links and devices', () => {
    const image = writeErofs([
      { ...file('bin/su', 'su', 0o4755), uid: 7, gid: 70_000, mtime: 1_700_000_000.5 },
      { path: 'sh', kind: 'link', target: '/bin/dash' },
      { path: 'dev/vda', kind: 'device', type: 'block', mode: 0o660, major: 254, minor: 300 },
      { path: 'pipe', kind: 'device', type: 'fifo', mode: 0o600, major: 0, minor: 0 },
      { path: 'tmp', kind: 'directory', mode: 0o1777, uid: 3 },
    ])
    const seen = readErofs(image).map(({ path, mode, owner, mtime, content }) =>
      [path, mode.toString(8), owner, mtime, mode >> 12 === 10 ? content.toString() : ''].join(' '),
    )
    expect(seen).toEqual([
      'bin 40755 0:0 0 ',
      'bin/su 104755 7:70000 1700000000 ',
      'dev 40755 0:0 0 ',
      'dev/vda 60660 0:0 0 ',
      'pipe 10600 0:0 0 ',
      'sh 120777 0:0 0 /bin/dash',
      'tmp 41777 3:0 0 ',
    ])
    // 300 is 0x12c: its low byte stays below the major number, the rest goes above it.
    expect(readErofs(image).find(({ path }) => path === 'dev/vda')!.device).toBe(
      0x10_0000 | (254 << 8) | 0x2c,
    )
  })

  test('keeps extended attributes beside inline content and content in blocks', () => {
    const capability = Buffer.from('0100000280200000000000000000000000000000', 'hex')
    const attributes = [
      ['security.capability', capability],
      ['user.note', Buffer.from('odd')],
      ['system.posix_acl_access', Buffer.from('02000000', 'hex')],
      ['trusted.overlay.opaque', Buffer.from('y')], // would hide what is below it
    ] as const
    const lengths = [0, 5, 1024, 5000]
    const image = writeErofs(
      lengths.map(length => ({ ...file(`f${length}`, 'x'.repeat(length)), attributes })),
    )
    const seen = readErofs(image)
    expect(seen.map(({ content }) => content.length)).toEqual([0, 1024, 5, 5000])
    for (const { attributes } of seen)
      expect(attributes).toEqual({
        'security.capability': capability.toString('hex'),
        'user.note': '6f6464',
        'system.posix_acl_access': '02000000',
      })
  })

  test('refuses attributes that do not fit beside an inode', () => {
    const attributes = [['user.big', Buffer.alloc(3000)]] as const
    expect(() => writeErofs([{ ...file('a', ''), attributes }])).toThrow('more than 2048 bytes')
  })

  test('has a file with two names once', () => {
    const content = Buffer.from('shared')
    const names = ['a', 'b/c'].map((path): ArchiveEntry => ({ path, kind: 'file', mode: 0o644, content }))
    const [a, b, c] = readErofs(writeErofs(names))
    expect([a!.inode, a!.links, b!.links]).toEqual([c!.inode, 2, 2])
  })

  test('has large directories, whose names are in the order of their bytes in every block', () => {
    const wanted = Array.from({ length: 1000 }, (_, index) => `n${index}-${'ä'.repeat(index % 120)}`)
    const image = writeErofs([...wanted, '!first', '~last'].map(name => file(`many/${name}`, name)))
    const seen = readErofs(image).slice(1)
    expect(seen.every(({ path, content }) => path === `many/${content}`)).toBe(true)
    const sorted = [...seen].sort((x, y) => Buffer.compare(Buffer.from(x.path), Buffer.from(y.path)))
    expect(seen.map(({ path }) => path)).toEqual(sorted.map(({ path }) => path))
    expect(seen).toHaveLength(1002)
  })

  test('refuses a file below a file, and a name that is too long', () => {
    expect(() => writeErofs([file('a', ''), file('a/b', '')])).toThrow('/a is not a directory')
    expect(() => writeErofs([file('a'.repeat(256), '')])).toThrow('longer than 255 bytes')
  })
})
