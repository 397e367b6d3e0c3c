import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { unpackLz4 } from '../../../src/image/formats/lz4.ts'
import { unpack } from '../../../src/image/formats/unpack.ts'
import { gzip, lz4, opcodes, plain, xz, xzOpcodes, zstd, zstdStream } from './vectors.ts'

const expected = { limit: 1 << 20, size: plain.length }

describe.each(Object.entries({ gzip, xz, lz4, zstd, zstdStream }))('unpack() of %s data', (_, packed) => {
  test('gives what the original tool packed', async () => {
    expect(Buffer.compare(await unpack(packed, expected), plain)).toBe(0)
  })

  test('refuses output above the limit', async () => {
    await expect(unpack(packed, { limit: 100, size: 100 })).rejects.toThrow(DecodeError)
  })

  test('throws DecodeError for data that is truncated anywhere', async () => {
    for (let length = 0; length < packed.length; length += 7) {
      const cut = packed.subarray(0, length)
      await expect(unpack(cut, expected).then(checkSame)).rejects.toThrow(DecodeError)
    }
  })

  test('throws DecodeError for changed bytes, or gives output within the limit', async () => {
    const change = fc.tuple(fc.nat(packed.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async changes => {
        const damaged = Buffer.from(packed)
        for (const [at, byte] of changes) damaged[at] = byte
        const length = await unpack(damaged, expected).then(
          bytes => bytes.length,
          failure => (failure instanceof DecodeError ? 0 : Number.NaN),
        )
        expect(length).toBeLessThanOrEqual(expected.limit)
      }),
      { numRuns: 60 },
    )
  })
})

/**
 * A legacy LZ4 file cut between sequences may still be valid. Then its output is shorter, which its length
 * shows.
 */
function checkSame(bytes: Uint8Array): void {
  if (bytes.length !== plain.length) throw new DecodeError('cut', 0, 'shorter')
}

test('the error for an unknown format lists the known ones', async () => {
  await expect(unpack(Buffer.from('PK34'), expected)).rejects.toThrow(
    'it is neither gzip, legacy LZ4, xz, zstd nor bzip2',
  )
  await expect(unpack(new Uint8Array(0), expected)).rejects.toThrow(DecodeError)
})

test('zstd without a size in its header is unpacked up to the limit', async () => {
  const whole = await unpack(zstdStream, { limit: plain.length })
  expect(Buffer.compare(whole, plain)).toBe(0)
  await expect(unpack(zstdStream, { limit: 2048 })).rejects.toThrow('it unpacks to more than 2048 bytes')
})

test('a zstd header that claims terabytes allocates nothing', async () => {
  const huge = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0])
  await expect(unpack(huge, expected)).rejects.toThrow('more than 1048576')
})

describe('unpackLz4()', () => {
  const frame = (...block: number[]) => Buffer.from([0x02, 0x21, 0x4c, 0x18, block.length, 0, 0, 0, ...block])

  test('accepts a copy that overlaps its own output', () => {
    // one literal `a`, then 10 bytes from 1 back, then the last literal `b`
    const text = unpackLz4(frame(0x16, 0x61, 1, 0, 0x10, 0x62), 100)
    expect(Buffer.from(text).toString()).toBe(`${'a'.repeat(11)}b`)
  })

  test.each([
    ['a copy from before the start', frame(0x16, 0x61, 2, 0, 0x10, 0x62)],
    ['a copy from distance 0', frame(0x16, 0x61, 0, 0, 0x10, 0x62)],
    ['more literals than there are', frame(0xf0, 0xff, 0xff, 0x61)],
    ['a length without an end', frame(0xff, ...Array(50).fill(255))],
    ['a block longer than the file', Buffer.from([0x02, 0x21, 0x4c, 0x18, 0xff, 0xff, 0xff, 0x7f, 0])],
    ['a truncated block length', Buffer.from([0x02, 0x21, 0x4c, 0x18, 1, 0])],
    ['another magic', Buffer.from([0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0])],
  ])('refuses data with %s', (_, bytes) => {
    expect(() => unpackLz4(bytes, 1 << 20)).toThrow(DecodeError)
  })
})

describe('xz with the x86 filter', () => {
  test('restores calls and jumps that the original tool converted', async () => {
    expect(Buffer.compare(await unpack(xzOpcodes, { limit: 2000 }), opcodes)).toBe(0)
  })

  test('refuses a wrong checksum, which the library does not check', async () => {
    const damaged = Buffer.from(xzOpcodes)
    const at = damaged.length - 12 - 4 * (damaged.readUInt32LE(damaged.length - 8) + 1) - 4
    damaged[at] = damaged[at]! ^ 1
    await expect(unpack(damaged, { limit: 2000 })).rejects.toThrow('its checksum does not match')
  })
})
