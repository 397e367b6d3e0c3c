import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { type FrameKind, FrameSplitter, frame, guestLimits, hostLimits } from '../../../src/stream/frame.ts'
import { opening, readOpening } from '../../../src/stream/opening.ts'

/** The bytes cut into pieces of the sizes given. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

test('a frame consists of its length, kind, file, stream and payload', () => {
  const bytes = frame('data', 0x01020304, { which: 2, payload: Buffer.from('hi') })
  expect(Buffer.from(bytes).toString('hex')).toBe('02000000030002000403020168' + '69')
})

const anyFrame = fc.record({
  kind: fc.constantFrom<FrameKind>('open', 'data', 'configure'),
  stream: fc.nat(0xffffffff),
  which: fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
  payload: fc.uint8Array({ maxLength: 300 }),
})
const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 })

test('frames are the same however their bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(anyFrame), sizes, (frames, pieces) => {
      const bytes = Buffer.concat(frames.map(({ kind, stream, ...more }) => frame(kind, stream, more)))
      const splitter = new FrameSplitter(hostLimits)
      const found = [...cut(bytes, pieces)].flatMap(piece =>
        Array.from(splitter.push(piece), each => ({ ...each, payload: Uint8Array.from(each.payload) })),
      )
      expect(found).toEqual(frames)
    }),
  )
})

test('any bytes of a guest give frames within its limits, or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), sizes, (bytes, pieces) => {
      const splitter = new FrameSplitter(guestLimits)
      try {
        for (const piece of cut(bytes, pieces))
          for (const { kind, payload } of splitter.push(piece))
            expect(payload.length).toBeLessThanOrEqual(guestLimits[kind]!)
      } catch (failure) {
        expect(failure).toBeInstanceOf(DecodeError)
      }
    }),
  )
})

test.for<[string, Uint8Array]>([
  ['kind', frame('signal', 1)],
  ['length', Buffer.from('0080000003000100' + '01000000', 'hex')],
  ['file', Buffer.from('0100000003000300' + '01000000', 'hex')],
])('a head with a bad %s is refused before its payload comes', ([, head]) => {
  const splitter = new FrameSplitter(guestLimits)
  expect(() => [...splitter.push(head.subarray(0, 12))]).toThrow(DecodeError)
})

test('the request for a command is read again as it was', () => {
  const word = fc.string({ maxLength: 20 }).filter(text => !text.includes('\0'))
  const name = fc.stringMatching(/^[A-Z_]{1,8}$/)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.option(fc.dictionary(name, word)), (words, env) => {
      const bytes = opening({ words, ...(env && { env }) }, { output: 7, errors: 9 })
      const { credit, ...spec } = readOpening(bytes)
      expect(credit).toEqual({ output: 7, errors: 9 })
      expect(spec.words).toEqual(words.map(text => Buffer.from(text).toString()))
      if (env) expect(spec.env).toMatchObject(JSON.parse(JSON.stringify(env)))
      else expect(spec.env).toBeUndefined()
    }),
  )
})
