import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { writeIso } from '../../../src/image/formats/iso9660.ts'
import { readIso } from '../../../src/image/formats/iso9660-reader.ts'
import type { IsoEntry } from '../../../src/image/formats/iso9660-record.ts'

const file = (path: string, text: string, mode = 0o644): IsoEntry => ({
  path,
  kind: 'file',
  mode,
  content: Buffer.from(text),
})
const label = 'OVERLAYS'

describe('an ISO image', () => {
  test('has files, directories and links with their names, modes and contents', () => {
    const image = writeIso(
      [
        file('a/b/c/Hello World.ko', 'hello', 0o755),
        file('a/empty', '', 0o600),
        { path: 'up', kind: 'link', target: '../usr/./bin/x' },
        { path: 'abs', kind: 'link', target: '/etc/passwd' },
        { path: 'private', kind: 'directory', mode: 0o700 },
        file('ä'.repeat(60), 'umlauts'),
      ],
      { label },
    )
    const seen = readIso(image).map(({ path, mode, target, content }) => [
      path,
      mode.toString(8),
      target ?? Buffer.from(content).toString(),
    ])
    expect(seen).toEqual([
      ['a', '40755', ''],
      ['a/b', '40755', ''],
      ['a/b/c', '40755', ''],
      ['a/b/c/Hello World.ko', '100755', 'hello'],
      ['a/empty', '100600', ''],
      ['abs', '120777', '/etc/passwd'],
      ['private', '40700', ''],
      ['up', '120777', '../usr/./bin/x'],
      ['ä'.repeat(60), '100644', 'umlauts'],
    ])
  })

  test('has directories of any length, whose records stay within a sector', () => {
    const entries = Array.from({ length: 500 }, (_, i) => file(`many/file number ${i}`, `${i}`.repeat(i)))
    const seen = readIso(writeIso(entries, { label }))
    expect(new Map(seen.map(({ path, content }) => [path, content.length]))).toEqual(
      new Map([['many', 0], ...entries.map(({ path }, i) => [path, `${i}`.length * i] as const)]),
    )
  })

  test('is read back, or refused with a sentence, whatever its bytes are', () => {
    const image = writeIso([file('a/b', 'text'), { path: 'l', kind: 'link', target: 'a/b' }], { label })
    fc.assert(
      fc.property(fc.nat(image.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(image)
        changed[at] = value
        try {
          readIso(changed)
        } catch (failure) {
          expect(failure).toBeInstanceOf(DecodeError)
        }
      }),
    )
    expect(() => readIso(image.subarray(0, 20 * 2048))).toThrow(DecodeError)
    expect(() => readIso(new Uint8Array(10))).toThrow('it has no volume descriptor')
  })

  test('is the same for the same entries in another order', () => {
    const entries = [file('b', '1'), file('a/c', '2'), file('a/b', '3')]
    expect(writeIso(entries.toReversed(), { label })).toEqual(writeIso(entries, { label }))
  })

  test('has its label, and the marks of the standard', () => {
    const image = Buffer.from(writeIso([file('a', '1')], { label: 'cidata' }))
    expect(image.length % 2048).toBe(0)
    expect(image.readUInt32LE(16 * 2048 + 80) * 2048).toBe(image.length)
    expect(image.toString('latin1', 16 * 2048, 16 * 2048 + 7)).toBe('\x01CD001\x01')
    expect(image.toString('latin1', 17 * 2048, 17 * 2048 + 7)).toBe('\xffCD001\x01')
    expect(image.toString('latin1', 16 * 2048 + 40, 16 * 2048 + 72).trimEnd()).toBe('cidata')
  })

  test('refuses names, link targets and labels that do not fit', () => {
    expect(() => writeIso([file('x'.repeat(200), '')], { label })).toThrow(/too long for an ISO image/)
    const target = 'y/'.repeat(200)
    expect(() => writeIso([{ path: 'l', kind: 'link', target }], { label })).toThrow(
      /too long for an ISO image/,
    )
    for (const bad of ['', 'ü', 'z'.repeat(33)]) expect(() => writeIso([], { label: bad })).toThrow(/label/)
  })
})
