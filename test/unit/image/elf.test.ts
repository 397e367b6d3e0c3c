import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { linkage, noteTypes, readElf, sectionBytes } from '../../../src/image/formats/elf.ts'
import { Inputs } from '../../../src/image/inputs.ts'
import { Sysroots } from '../../../src/image/rootfs/libraries.ts'
import { elfFile, vmlinuxFile } from './elf-file.ts'

const program = (path: string) => ({ path: path.slice(1), from: path, content: readFileSync(path) })

/** The libraries that the dynamic linker itself would load. */
function lddPaths(path: string): string[] {
  const lines = execFileSync('ldd', [path], { encoding: 'utf8' }).split('\n')
  const found = lines.flatMap(line => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? [])
  return found.map(each => realpathSync(each)).sort()
}

test.each(['/usr/bin/node', '/usr/sbin/ip', '/usr/sbin/nft', '/bin/dash'])(
  'the libraries of %s are those that ldd finds',
  async path => {
    const real = path === '/usr/bin/node' ? process.execPath : path
    const found = await new Sysroots(['/'], new Inputs()).closure([program(real)])
    expect(found.map(({ from }) => realpathSync(from)).sort()).toEqual(lddPaths(real))
  },
)

test('a static program needs no libraries', () => {
  expect(linkage(readElf(readFileSync('/bin/busybox')))).toEqual({
    interpreter: undefined,
    needed: [],
    runPath: [],
  })
})

test('the error for a missing library names the program that needs it', async () => {
  const roots = new Sysroots(['/nowhere'], new Inputs())
  await expect(roots.closure([program('/bin/dash')])).rejects.toMatchObject({
    code: 'LIBRARY_MISSING',
    message: expect.stringContaining('/bin/dash needs it'),
  })
})

test('sections and notes are found by name', () => {
  const elf = readElf(elfFile({ sections: [{ name: '.modinfo', bytes: Buffer.from('name=x\0') }] }))
  expect(Buffer.from(sectionBytes(elf, '.modinfo')!).toString()).toBe('name=x\0')
  expect(sectionBytes(elf, '.other')).toBeUndefined()
  expect(noteTypes(readElf(vmlinuxFile()), 'Xen')).toEqual([18])
  expect(noteTypes(readElf(vmlinuxFile()), 'GNU')).toEqual([])
})

describe('a damaged or hostile ELF file', () => {
  const everything = (bytes: Uint8Array) => {
    const elf = readElf(bytes)
    return [linkage(elf), noteTypes(elf, 'Xen'), sectionBytes(elf, '.modinfo')]
  }
  const dash = readFileSync('/bin/dash')
  const dashHead = dash.subarray(0, 0x1000)

  test('that is truncated is refused', () => {
    for (let length = 0; length < 64; length++)
      expect(() => readElf(dash.subarray(0, length))).toThrow(DecodeError)
    expect(() => readElf(dashHead)).toThrow('beyond the file')
  })

  test('of 32 bits or big-endian is refused', () => {
    const other = Buffer.from(elfFile({}))
    other[4] = 1
    expect(() => readElf(other)).toThrow('64-bit')
  })

  test('with a library path far beyond the string table is refused', () => {
    const dynamic = Buffer.alloc(48)
    dynamic.writeBigUInt64LE(5n, 0)
    dynamic.writeBigUInt64LE(0x1000n, 8)
    dynamic.writeBigUInt64LE(1n, 16)
    dynamic.writeBigUInt64LE(0xffffffffffffn, 24)
    const strings = { type: 1, bytes: Buffer.from('\0libc.so\0'), address: 0x1000n }
    const bytes = elfFile({ segments: [{ type: 2, bytes: dynamic }, strings] })
    expect(() => linkage(readElf(bytes))).toThrow(DecodeError)
  })

  test('with any byte of its header and tables changed is read or throws DecodeError', () => {
    const places = fc.oneof(
      fc.nat(0x1000),
      fc.nat(1000).map(back => dash.length - 1 - back),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 4 }), changes => {
        const damaged = Buffer.from(dash)
        for (const [at, byte] of changes) damaged[at] = byte
        try {
          everything(damaged)
        } catch (failure) {
          expect(failure).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 400 },
    )
  })
})
