import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { extractVmlinux, kernelVersion, readBzImage } from '../../../src/image/formats/bzimage.ts'
import { bzImage, elfFile, vmlinuxFile } from './elf-file.ts'
import { lz4, plain, xz, zstdStream } from './vectors.ts'

const sized = (packed: Uint8Array, size = plain.length) => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(size)
  return Buffer.concat([packed, length])
}

test('version and payload of a kernel come from its setup header', () => {
  const image = readBzImage(bzImage(Buffer.from('payload!')))
  expect(image.version).toBe('6.1.0-9-test')
  expect(Buffer.from(image.payload).toString()).toBe('payload!')
})

test('the version of a vmlinux comes from its banner', () => {
  const banner = Buffer.from('\0Linux version 6.1.0-9-test (builder@host) #1\n\0')
  const vmlinux = elfFile({ sections: [{ name: '.rodata', bytes: banner }] })
  expect(kernelVersion(vmlinux)).toBe('6.1.0-9-test')
})

test('the vmlinux of a bzImage is unpacked, and a bare one stays as it is', async () => {
  const vmlinux = vmlinuxFile()
  expect(Buffer.compare(await extractVmlinux(bzImage(gzipSync(vmlinux))), vmlinux)).toBe(0)
  expect(await extractVmlinux(vmlinux)).toBe(vmlinux)
})

test.each([
  ['lz4', lz4],
  ['xz', xz],
  ['zstd', zstdStream],
])('the unpacked length after %s is removed, and must be right', async (_, packed) => {
  // The vectors hold no kernel: this error means that unpacking worked.
  await expect(extractVmlinux(bzImage(sized(packed)))).rejects.toThrow('it has no ELF magic')
  await expect(extractVmlinux(bzImage(sized(packed, 100)))).rejects.toThrow(DecodeError)
  await expect(extractVmlinux(bzImage(sized(packed, 0xffffffff)))).rejects.toThrow('is impossible')
})

describe('an unusable kernel image is refused:', () => {
  test.each([
    ['no bytes', new Uint8Array(0), 'setup header'],
    ['zeros', new Uint8Array(4096), 'no Linux setup header'],
    ['a payload longer than the file', bzImage(Buffer.from('x'), { length: 1 << 30 }), 'needs'],
    ['another machine', vmlinuxFile({ machine: 183 }), 'not x86-64'],
    ['no PVH entry note', vmlinuxFile({ owner: 'GNU' }), 'CONFIG_PVH'],
    ['a payload that is not a kernel', bzImage(Buffer.from('hello, I am no kernel')), 'DecodeError|decode'],
  ])('%s', async (_, bytes, words) => {
    await expect(extractVmlinux(bytes)).rejects.toThrow(new RegExp(words))
    await expect(extractVmlinux(bytes)).rejects.toBeInstanceOf(DecodeError)
  })

  test('a kernel image damaged anywhere gives a DecodeError or the same kernel', async () => {
    const image = bzImage(gzipSync(vmlinuxFile()))
    await fc.assert(
      fc.asyncProperty(fc.nat(image.length - 1), fc.nat(255), async (at, byte) => {
        const damaged = Buffer.from(image)
        damaged[at] = byte
        await extractVmlinux(damaged).catch(failure => expect(failure).toBeInstanceOf(DecodeError))
      }),
      { numRuns: 200 },
    )
  })
})
