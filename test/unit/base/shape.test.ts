import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { shape } from '../../../src/base/index.ts'

const reply = shape.record(
  { pid: shape.count, ended: shape.flag },
  { text: shape.text, list: shape.list(shape.whole), time: shape.integer },
)

test.for<[unknown, string | undefined]>([
  [{ pid: 1, ended: true }, undefined],
  [{ pid: 1, ended: true, text: '', list: [-1], time: 2n ** 63n, more: {} }, undefined],
  [undefined, 'return is absent, not an object'],
  [null, 'return is null, not an object'],
  [[], 'return is a list, not an object'],
  [{ pid: '1', ended: true }, 'return.pid is a string, not a whole number from 0'],
  [{ pid: -1, ended: true }, 'return.pid is the number -1, not a whole number from 0'],
  [
    { pid: Number.POSITIVE_INFINITY, ended: true },
    'return.pid is the number Infinity, not a whole number from 0',
  ],
  [{ pid: 2n ** 63n, ended: true }, 'return.pid is a bigint, not a whole number from 0'],
  [{ pid: 1, ended: true, time: 1.5 }, 'return.time is the number 1.5, not an integer'],
  [{ ended: true }, 'return.pid is absent, not a whole number from 0'],
  [{ pid: 1, ended: 'yes' }, 'return.ended is a string, not true or false'],
  [{ pid: 1, ended: true, text: null }, 'return.text is null, not a string'],
  [{ pid: 1, ended: true, list: {} }, 'return.list is an object, not a list'],
  [{ pid: 1, ended: true, list: [1, 2, 'x'] }, 'return.list[2] is a string, not a whole number'],
])('a shape says what is wrong with %o: %s', ([value, wrong]) => {
  expect(reply(value, 'return')).toBe(wrong)
})

test('a shape takes a field of the prototype for absent, and never throws', async () => {
  expect(shape.record({ toString: shape.text })({}, 'x')).toBe('x.toString is absent, not a string')
  await fc.assert(fc.property(fc.anything(), value => void reply(value, 'return')))
})
