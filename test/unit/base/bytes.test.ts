import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { be16, bytes, Reader, struct, text, u8, u32, Writer } from '../../../src/base/index.ts'

const record = struct({ family: u8, port: be16, index: u32, name: text })

test('a struct writes its fields in order, in network byte order where declared', () => {
  const out = new Writer(1)
  record.write(out, { family: 2, port: 0x1234, index: 0x01020304, name: 'lo' })
  expect([...out.done()]).toEqual([2, 0x12, 0x34, 4, 3, 2, 1, 0x6c, 0x6f, 0])
})

test('every value reads back as it was written', async () => {
  const values = fc.record({
    family: fc.nat(255),
    port: fc.nat(0xffff),
    index: fc.nat(0xffffffff),
    name: fc.string({ unit: 'grapheme' }).filter(name => !name.includes('\0')),
  })
  await fc.assert(
    fc.property(values, value => {
      const out = new Writer(1)
      record.write(out, value)
      expect(record.read(new Reader(out.done()))).toEqual(value)
    }),
  )
})

const shown = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

test('an integer that its bytes cannot hold is refused by its name and range, and nothing else is', async () => {
  const write: Record<string, [number, number]> = {
    u8: [0, 0xff],
    u16: [0, 0xffff],
    u32: [0, 0xffffffff],
    i32: [-(2 ** 31), 2 ** 31 - 1],
  }
  for (const [kind, [least, most]] of Object.entries(write)) {
    const fits = (value: unknown) =>
      Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    const near = fc.constantFrom(
      least - 1,
      least,
      most,
      most + 1,
      0.5,
      -0,
      Number.NaN,
      2 ** 32 + 5,
      '7',
      true,
      undefined,
    )
    await fc.assert(
      fc.property(fc.oneof(near, fc.double(), fc.maxSafeInteger()), value => {
        const out = () => new Writer()[kind as 'u8'](value as number)
        if (fits(value)) expect(out).not.toThrow()
        else expect(out).toThrow(`encode: ${shown(value)} is not an integer from ${least} to ${most}`)
      }),
    )
  }
  for (const value of [-1n, 2n ** 64n, 7])
    expect(() => new Writer().u64(value as bigint)).toThrow('is not a bigint')
  expect(() => record.write(new Writer(), { family: 2, port: 65536, index: 1, name: '' })).toThrow(
    'encode port: 65536',
  )
})

test('a read past the end throws with the offset in the whole message', () => {
  const message = new Reader(new Uint8Array(10))
  message.skip(4, 'header')
  const body = message.window(3, 'body')
  expect(() => u32.read(body)).toThrow('decode u32: needs 4 bytes, 3 left at offset 4')
})

test('bytes taken from a reader are a copy, so the receive buffer can be used again', () => {
  const buffer = Uint8Array.of(1, 2, 3)
  const taken = bytes.read(new Reader(buffer))
  buffer.fill(9)
  expect([...taken]).toEqual([1, 2, 3])
})

test('align() pads with zero bytes', () => {
  const out = new Writer(1)
  out.u8(1)
  out.align(4)
  out.align(4)
  expect([...out.done()]).toEqual([1, 0, 0, 0])
})
