import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Frames, framed } from '../../../../src/dns/wire/frames.ts'

test('messages come out of a stream as they went in, however it is cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
      const stream = Buffer.concat(sent.map(framed))
      const frames = new Frames()
      const got: Uint8Array[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + sizes[i % sizes.length]!
        got.push(...frames.push(stream.subarray(at, end)))
        at = end
      }
      expect(got.map(each => Uint8Array.from(each))).toEqual(sent)
    }),
  )
})

test('65,535 bytes that come one by one are put together in linear time', () => {
  const frames = new Frames()
  const stream = framed(Buffer.alloc(0xffff, 7))
  const begun = process.cpuUsage()
  const got = Array.from(stream, byte => frames.push(Uint8Array.of(byte))).flat()
  expect(got.map(({ length }) => length)).toEqual([0xffff])
  expect(process.cpuUsage(begun).user).toBeLessThan(2_000_000)
})
