import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { diskKind, readQcow2Header } from '../../../src/image/index.ts'
import { type Qcow2Fields, qcow2 } from '../../support/qcow2.ts'

const read = (fields: Qcow2Fields = {}) => {
  const bytes = qcow2(fields)
  return readQcow2Header(bytes, bytes.length)
}
const backingFormat = 0xe2792aca

describe('the header of a qcow2 image', () => {
  test('says how large the disk is, in version 3 and 2', () => {
    const plain = {
      size: 1 << 20,
      hasDataFile: false,
      isEncrypted: false,
      isCorrupt: false,
      unknownFeatures: [],
    }
    expect(read()).toEqual({ version: 3, ...plain })
    expect(read({ version: 2 })).toEqual({ version: 2, ...plain })
  })

  test('names a backing file and its format', () => {
    expect(read({ backing: '/etc/shadow' })).toMatchObject({ backingFile: '/etc/shadow' })
    expect(read({ backing: 'base.raw', extensions: [[backingFormat, 'raw']] })).toMatchObject({
      backingFile: 'base.raw',
      backingFormat: 'raw',
    })
  })

  test('names a file that has its data, and says what is special about it', () => {
    expect(read({ incompatible: [2], extensions: [[0x44415441, 'data.raw']] })).toMatchObject({
      hasDataFile: true,
      dataFile: 'data.raw',
    })
    expect(read({ incompatible: [1], crypt: 2 })).toMatchObject({ isCorrupt: true, isEncrypted: true })
    expect(read({ incompatible: [0, 3, 4, 5, 63] }).unknownFeatures).toEqual([5, 63])
  })

  test.each<[string, Qcow2Fields]>([
    ['its version is 4', { version: 4 }],
    ['its clusters have 2^31 bytes', { clusterBits: 31 }],
    ['its header has 99 bytes', { headerLength: 99 }],
    ['its L1 table is behind the end of the file', { l1At: 1 << 30 }],
    ['its L1 table is too small for its size', { size: 2 ** 40 }],
  ])('is refused when %s', (reason, fields) => {
    expect(() => read(fields)).toThrow(reason)
  })

  test('is refused when it is cut off, wherever', () => {
    const whole = qcow2({ backing: 'base.raw', extensions: [[backingFormat, 'raw']] })
    for (let length = 0; length < 140; length++)
      expect(() => readQcow2Header(whole.subarray(0, length), length)).toThrow(DecodeError)
  })

  test('of any bytes is read or refused, and nothing else', () => {
    const change = fc.record({ at: fc.nat(160), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), changes => {
        const bytes = qcow2({ backing: 'base.raw', extensions: [[backingFormat, 'raw']] })
        for (const { at, byte } of changes) bytes[at] = byte
        try {
          readQcow2Header(bytes, bytes.length)
        } catch (failure) {
          expect(failure).toBeInstanceOf(DecodeError)
        }
      }),
    )
  })
})

describe('the kind of a disk image', () => {
  const file = (at: number, mark: string) => {
    const bytes = Buffer.alloc(0x10_048)
    bytes.write(mark, at, 'latin1')
    return bytes
  }

  test('is told by what it begins with', () => {
    expect(diskKind(qcow2())).toEqual({ kind: 'qcow2' })
    expect(diskKind(file(510, '\x55\xaa'))).toEqual({ kind: 'raw', boots: true })
    expect(diskKind(file(0x438, '\x53\xef'))).toEqual({ kind: 'raw', boots: false })
    expect(diskKind(file(0x10_040, '_BHRfS_M'))).toEqual({ kind: 'raw', boots: false })
    expect(diskKind(file(0, 'KDMV'))).toMatchObject({ kind: 'other', name: 'a disk of VMware (VMDK)' })
    expect(diskKind(file(0, '\x1f\x8b'))).toMatchObject({ kind: 'other', name: 'compressed (gzip)' })
    expect(diskKind(file(0, 'hello'))).toEqual({ kind: 'unknown' })
    expect(diskKind(new Uint8Array(0))).toEqual({ kind: 'unknown' })
  })
})
