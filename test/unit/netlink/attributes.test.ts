import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bytes,
  DecodeError,
  flag,
  Reader,
  struct,
  text,
  u8,
  u16,
  u32,
  Writer,
} from '../../../src/base/index.ts'
import {
  type AttributeCodec,
  attributes,
  growing,
  list,
  nested,
  repeated,
  when,
} from '../../../src/netlink/index.ts'

const table = attributes({
  name: [3, text],
  mtu: [4, u32],
  fast: [5, flag],
  info: [18, attributes({ kind: [1, text], number: [2, when('kind', 'n', u32)], data: [2, bytes] })],
  strict: [19, nested(attributes({ level: [1, u8] }))],
  names: [20, repeated(text)],
  hops: [21, nested(list(nested(attributes({ weight: [1, u16] }))))],
  times: [22, growing(struct({ created: u32 }))],
})

function encode<T>(codec: AttributeCodec<T>, value: T): number[] {
  const out = new Writer()
  codec.write(out, value)
  return [...out.done()]
}
const decode = <T>(codec: AttributeCodec<T>, input: readonly number[]) =>
  codec.read(new Reader(Uint8Array.from(input)))

test('attributes are padded, written in the order of the value, and omitted when undefined', () => {
  expect(encode(table, { mtu: 1500, name: 'lo', fast: undefined })).toEqual([
    8, 0, 4, 0, 0xdc, 5, 0, 0, 7, 0, 3, 0, 0x6c, 0x6f, 0, 0,
  ])
})

test('nested attributes carry NLA_F_NESTED only where the table says so', () => {
  expect(encode(table, { info: { kind: 'n' }, strict: { level: 1 } })).toEqual(
    [10, 0, 18, 0, 6, 0, 1, 0, 0x6e, 0, 0, 0, 12, 0, 19, 0x80, 5, 0, 1, 0, 1, 0, 0, 0].with(0, 12),
  )
})

test('a list numbers its elements from 1, and repeated attributes make one array', () => {
  const value = { names: ['a', 'b'], hops: [{ weight: 1 }, { weight: 2 }] }
  const encoded = encode(table, value)
  expect(encoded.slice(16, 24)).toEqual([28, 0, 21, 0x80, 12, 0, 1, 0x80])
  expect(decode(table, encoded)).toEqual(value)
})

test("an attribute's codec may depend on an earlier attribute", () => {
  expect(decode(table, encode(table, { info: { kind: 'n', number: 7 } }))).toEqual({
    info: { kind: 'n', number: 7 },
  })
  const other = { info: { kind: 'other', data: Uint8Array.of(1, 2) } }
  expect(decode(table, encode(table, other))).toEqual(other)
})

test('unknown attributes are written back unchanged, with their flags', () => {
  const input = [5, 0, 0x63, 0x80, 9, 0, 0, 0, 8, 0, 4, 0, 1, 0, 0, 0]
  const value = decode(table, input)
  expect(value).toEqual({ mtu: 1, unknown: [{ type: 0x8063, bytes: Uint8Array.of(9) }] })
  expect(encode(table, value)).toEqual(input)
})

test('an attribute with a bad length throws with its offset', () => {
  expect(() => decode(table, [8, 0, 4, 0, 1, 0, 0])).toThrow('decode mtu: needs 4 bytes, 3 left at offset 4')
  expect(() => decode(table, [3, 0, 4, 0])).toThrow(
    'its length 3 is less than that of its header at offset 0',
  )
  expect(() => decode(table, [6, 0, 4, 0, 1, 0, 0, 0])).toThrow(
    'decode u32: needs 4 bytes, 2 left at offset 4',
  )
  expect(() => decode(table, [9, 0, 4, 0, 1, 0, 0, 0, 1])).toThrow(
    'decode mtu: 1 bytes left over at offset 8',
  )
  expect(() => decode(table, [1])).toThrow(DecodeError)
  expect(decode(table, [12, 0, 22, 0, 1, 0, 0, 0, 9, 9, 9, 9])).toEqual({ times: { created: 1 } })
})

test('a value that does not fit and a name that is not in the table are refused', () => {
  expect(() => encode(table, { name: 'x'.repeat(65536) })).toThrow(
    'encode name: an attribute can hold 65531 bytes, not 65537',
  )
  const misspelt: object = { mut: 1500 }
  expect(() => encode(table, misspelt)).toThrow('encode mut: the attribute table has no such name')
})

test('an offset is resolved to the name of the attribute there', () => {
  const encoded = Uint8Array.from(encode(table, { mtu: 1, info: { kind: 'n', number: 2 } }))
  const at = (offset: number) => table.locate?.(new Reader(encoded), offset)
  expect([at(0), at(8), at(12), at(20), at(99)]).toEqual([
    'mtu',
    'info',
    'info.kind',
    'info.number',
    undefined,
  ])
})

test('any bytes decode to a value or throw DecodeError, and a written value reads back the same', async () => {
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), input => {
      try {
        const value = table.read(new Reader(input))
        expect(decode(table, encode(table, value))).toEqual(value)
      } catch (failure) {
        expect(failure).toBeInstanceOf(DecodeError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('well-formed attributes with any contents decode to a value or throw DecodeError', async () => {
  const attribute = fc.tuple(
    fc.constantFrom(3, 4, 5, 18, 19, 20, 21, 22, 99),
    fc.uint8Array({ maxLength: 24 }),
  )
  await fc.assert(
    fc.property(fc.array(attribute), input => {
      const out = new Writer()
      for (const [type, payload] of input) {
        out.u16(payload.length + 4)
        out.u16(type)
        out.put(payload)
        out.align(4)
      }
      try {
        table.read(new Reader(out.done()))
      } catch (failure) {
        expect(failure).toBeInstanceOf(DecodeError)
      }
    }),
    { numRuns: 2000 },
  )
})
