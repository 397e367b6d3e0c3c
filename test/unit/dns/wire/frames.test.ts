import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Frames, framed } from '../../../../src/dns/wire/frames.ts'

function cut(frames: Frames, piece: Buffer): string[] {
  const part = { bytes: Buffer.alloc(0), at: 0, length: 0 }
  const found: string[] = []
  frames.push(piece)
  while (frames.next(part)) found.push(part.bytes.toString('hex', part.at, part.at + part.length))
  return found
}

test('a stream gives the same messages, however it is cut into pieces', () => {
  const message = fc.uint8Array({ maxLength: 700 })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.nat(900)), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(framed))
      const frames = new Frames()
      const found: string[] = []
      let at = 0
      for (const size of cuts) {
        found.push(...cut(frames, Buffer.from(stream.subarray(at, at + size))))
        at = Math.min(stream.length, at + size)
      }
      found.push(...cut(frames, Buffer.from(stream.subarray(at))))
      expect(found).toEqual(messages.map(each => Buffer.from(each).toString('hex')))
      expect(frames.partial).toBe(false)
    }),
  )
})

test('any bytes in any pieces give messages or nothing, without an exception, none longer than its length field', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), pieces => {
      const frames = new Frames()
      const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
      const found = pieces.flatMap(piece => cut(frames, Buffer.from(piece)))
      expect(found.reduce((sum, { length }) => sum + 2 + length / 2, 0)).toBeLessThanOrEqual(bytes)
    }),
  )
})

test('messages taken one by one stay complete while more bytes arrive', () => {
  const frames = new Frames()
  const part = { bytes: Buffer.alloc(0), at: 0, length: 0 }
  const next = () => (frames.next(part) ? part.bytes.toString('latin1', part.at, part.at + part.length) : '')
  frames.push(Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two')), Buffer.of(0)]))
  expect(next()).toBe('one')
  frames.push(Buffer.concat([Buffer.of(5), Buffer.from('thr')]))
  expect(next()).toBe('two')
  expect(next()).toBe('')
  frames.push(Buffer.from('ee'))
  expect(next()).toBe('three')
  expect(frames.partial).toBe(false)
})

test('messages stay unchanged, whatever arrives after them', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 30 })
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 }), pieces, (messages, sizes) => {
      const stream = Buffer.concat(messages.map(framed))
      const frames = new Frames()
      const given: Buffer[] = []
      let at = 0
      for (const { length } of [...sizes, stream]) {
        const piece = Buffer.from(stream.subarray(at, at + length))
        given.push(...frames.messages(piece))
        piece.fill(0xee)
        at = Math.min(stream.length, at + length)
      }
      expect(given.map(each => Uint8Array.from(each))).toEqual(messages)
    }),
  )
})

test('65,535 bytes that arrive one by one are assembled in linear time', () => {
  const frames = new Frames()
  const stream = framed(Buffer.alloc(0xffff, 7))
  const begun = process.cpuUsage()
  const got = Array.from(stream, byte => frames.messages(Uint8Array.of(byte))).flat()
  expect(got.map(({ length }) => length)).toEqual([0xffff])
  expect(process.cpuUsage(begun).user).toBeLessThan(2_000_000)
})
