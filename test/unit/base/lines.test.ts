import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter } from '../../../src/base/index.ts'

test('lines come out whole wherever the stream was cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', ''))
  await fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(7)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''))
      const splitter = new LineSplitter()
      const out: string[] = []
      let at = 0
      for (const cut of cuts) {
        out.push(...splitter.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      out.push(...splitter.push(bytes.subarray(at)))
      expect(out).toEqual(lines.map(text => Buffer.from(text).toString()))
    }),
  )
})

test('a line longer than the limit is refused, not buffered', () => {
  const splitter = new LineSplitter(4)
  splitter.push(Buffer.from('abc'))
  expect(() => splitter.push(Buffer.from('de'))).toThrow('no newline within 4 bytes')
})
