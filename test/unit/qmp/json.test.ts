import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonOf, parseJson } from '../../../src/qmp/json.ts'
import { decodeMessage, encodeArguments } from '../../../src/qmp/wire.ts'

const [least, most] = [-(2n ** 63n), 2n ** 64n - 1n]
const safe = BigInt(Number.MAX_SAFE_INTEGER)

// Lines of QEMU 7.2.22 (Debian 12) and qemu-ga 7.2.22, as they came.
test.for<[string, unknown]>([
  // memory-backend-ram with "size": 4194304, then qom-set host-nodes' neighbour `x-use-canonical-path…`: see monitor.test.ts
  ['{"return": 18446744073709551615, "id": 3}\r', 18446744073709551615n],
  ['{"return": -9223372036854775808, "id": 3}\r', -9223372036854775808n],
  ['{"return": 1794000000123456789}', 1794000000123456789n],
  ['{"return": 9007199254740993}', 9007199254740993n],
  ['{"return": 9007199254740992}', 9007199254740992n],
  ['{"return": 9007199254740991}', 9007199254740991],
  ['{"return": -9007199254740991}', -9007199254740991],
  [
    '{"return": [1, 5764607523034234880, 0.1234567890123456789]}',
    [1, 5764607523034234880n, 0.12345678901234568],
  ],
  ['{"return": 1.8446744073709552e+19}', 18446744073709552000],
  [
    '{"return": {"wwn": 5764607523034234880, "x": "18446744073709551615"}}',
    { wwn: 5764607523034234880n, x: '18446744073709551615' },
  ],
])('the reply %s has its integers exactly', ([line, value]) => {
  expect(decodeMessage(line)).toMatchObject({ kind: 'value', value })
})

test.for<[object, string]>([
  [{ wwn: 5764607523034234880n }, '{"wwn":5764607523034234880}'],
  [{ value: 18446744073709551615n }, '{"value":18446744073709551615}'],
  [{ value: -9223372036854775808n, small: 7n }, '{"value":-9223372036854775808,"small":7}'],
  [{ list: [1, 1.5, -0, 1e21, null, undefined], none: undefined }, '{"list":[1,1.5,0,1e+21,null,null]}'],
  [{ text: 'ä "\\\u0001', yes: true }, '{"text":"ä \\"\\\\\\u0001","yes":true}'],
])('%o is sent as %s', ([value, json]) => {
  expect(encodeArguments('any', value)).toBe(json)
})

test.for<[unknown, string]>([
  [2 ** 53, 'the number 9007199254740992 is beyond those that are exact: give a bigint'],
  [2 ** 64, 'give a bigint'],
  [Number.NaN, 'JSON has no number NaN'],
  [Number.NEGATIVE_INFINITY, 'JSON has no number -Infinity'],
])('the argument %s, which QEMU would get as another, is refused', ([value, words]) => {
  expect(() => encodeArguments('any', { deep: [{ value }] })).toThrow(words)
})

test('a program that gives bigints a toJSON of its own still sends integers', () => {
  const prototype = BigInt.prototype as { toJSON?: () => string }
  prototype.toJSON = () => 'text'
  try {
    expect(encodeArguments('any', { value: 2n ** 60n })).toBe('{"value":1152921504606846976}')
  } finally {
    delete prototype.toJSON
  }
})

const integer = fc.bigInt(least, most).map(value => (value <= safe && value >= -safe ? Number(value) : value))
const { value: anyValue } = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter(value => !Number.isInteger(value)),
    integer,
    fc.array(tie('value')),
    fc.dictionary(
      fc.string().filter(key => key !== '__proto__'),
      tie('value'),
    ),
  ),
}))

test('what is sent and comes back is the same, integers of 64 bits included', async () => {
  await fc.assert(
    fc.property(anyValue, value => void expect(parseJson(jsonOf({ value }))).toEqual({ value })),
  )
})

test('without long integers, any text gives what JSON.parse gives, or neither takes it', async () => {
  const texts = fc.oneof(
    fc.json(),
    fc.json().chain(json => fc.nat(json.length).map(at => `${json.slice(0, at)}${json.slice(at + 1)}`)),
  )
  const outcome = (parse: (text: string) => unknown, text: string) => {
    try {
      return {
        value: JSON.stringify(parse(text), (_, value) => (typeof value === 'bigint' ? Number(value) : value)),
      }
    } catch (failure) {
      return failure instanceof SyntaxError
    }
  }
  // A fraction of 16 digits after the comma sends the text through the parser for long integers.
  const long = (text: string) => `[1234567890123456.5,${text}]`
  await fc.assert(
    fc.property(texts, text => {
      expect(outcome(parseJson, text)).toEqual(outcome(JSON.parse, text))
      if (/__proto__|\\u00[4-7]/.test(text)) return
      expect(outcome(parseJson, long(text))).toEqual(outcome(JSON.parse, long(text)))
    }),
  )
})

test.each(['__proto__', '\\u005f_proto__', '__\\u0070roto__'])(
  'a line with a long integer and the key %s, which no QEMU sends, is refused',
  key => {
    const line = `{"return": {"${key}": {"pid": 1}, "n": 18446744073709551615}}`
    expect(() => decodeMessage(line)).toThrow('is not a message of the monitor protocol')
  },
)

test('an integer of more than 64 bits, which no QEMU sends, costs no more than a number', () => {
  expect(parseJson(`[${'9'.repeat(1_000_000)}]`)).toEqual([Number.POSITIVE_INFINITY])
})
