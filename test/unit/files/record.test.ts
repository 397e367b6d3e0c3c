import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import {
  type FilePart,
  lastRecord,
  longestPiece,
  pieceBytes,
  RecordSplitter,
  recordBytes,
} from '../../../src/files/record.ts'

function partsOf(
  bytes: Uint8Array,
  sizes: readonly number[],
): { parts: FilePart[]; splitter: RecordSplitter } {
  const splitter = new RecordSplitter()
  const parts: FilePart[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    for (const part of splitter.push(bytes.subarray(at, at + size)))
      parts.push(part.kind === 'content' ? { kind: 'content', bytes: Buffer.from(part.bytes) } : part)
    at += size
  }
  return { parts, splitter }
}

const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
const entry = fc.record({
  kind: fc.constantFrom('file', 'directory', 'link', 'other') as fc.Arbitrary<
    'file' | 'directory' | 'link' | 'other'
  >,
  name: text,
  target: text,
  mode: fc.nat(0o7777),
  mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  content: fc.uint8Array({ maxLength: 100 }),
})
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 })

test('records are the same however their bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(entry), sizes, (entries, pieces) => {
      const bytes = entries.flatMap(({ content, ...record }) => {
        const head = recordBytes(record)
        if (record.kind !== 'file') return [head]
        return [head, ...(content.length > 0 ? [pieceBytes(content)] : []), pieceBytes(new Uint8Array())]
      })
      const { parts, splitter } = partsOf(Buffer.concat([...bytes, lastRecord]), pieces)
      expect(splitter.isWhole).toBe(true)
      const records = parts.filter(
        part => part.kind !== 'content' && part.kind !== 'end' && part.kind !== 'last',
      )
      expect(records).toEqual(entries.map(({ content: _, ...record }) => record))
      const content = parts.flatMap(part => (part.kind === 'content' ? [part.bytes] : []))
      const given = entries.flatMap(({ kind, content }) => (kind === 'file' ? [content] : []))
      expect(Buffer.concat(content).equals(Buffer.concat(given))).toBe(true)
    }),
  )
})

test('any bytes give records with bounded names, or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), sizes, (bytes, pieces) => {
      try {
        for (const part of partsOf(bytes, pieces).parts)
          if ('name' in part) expect(part.name.length).toBeLessThan(4096)
      } catch (failure) {
        expect(failure).toBeInstanceOf(DecodeError)
      }
    }),
  )
})

const head = (numbers: readonly number[]) => Buffer.from(Uint32Array.from(numbers).buffer)

test.for<[string, Buffer]>([
  ['an unknown kind', head([9, 0, 0, 0, 1, 0])],
  ['a name of 4 GiB', head([1, 0, 0, 0, 0xffffffff, 0])],
  ['a target that is too long', head([3, 0, 0, 0, 1, 4096])],
  ['no name', head([1, 0, 0, 0, 0, 0])],
  [
    'a piece that is too long',
    Buffer.concat([head([1, 0, 0, 0, 4, 0]), Buffer.from('name'), head([longestPiece + 1])]),
  ],
  ['bytes after the last one', Buffer.concat([lastRecord, Buffer.from('x')])],
])('records with %s are refused before more comes', ([, bytes]) => {
  expect(() => partsOf(bytes, [bytes.length])).toThrow(DecodeError)
})

test('a stream of records that breaks off is not whole', () => {
  const file = recordBytes({ kind: 'file', name: 'a', mode: 0o644, mtimeNs: 0n, target: '' })
  expect(partsOf(Buffer.concat([file, pieceBytes(Buffer.from('x'))]), [7]).splitter.isWhole).toBe(false)
})
