import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { indentedLines, printable, printableJson, printableLines } from '../../../src/base/index.ts'

/** Text of all kinds, with what a terminal obeys among it. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom(
      '\x1b]0;t\x07',
      '\u009b2J',
      '\x7f',
      '\r\n',
      '\n',
      '\t',
      '\u202e',
      '\u2028',
      '\u{e0001}',
      '\ud800',
      'ä',
    ),
  ),
})
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const obeyedInLines = /[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

describe('text of a guest', () => {
  test('has no control and format characters any more, whatever it is', async () => {
    await fc.assert(
      fc.property(hostile, text => {
        expect(printable(text)).not.toMatch(obeyed)
        expect(printableLines(text)).not.toMatch(obeyedInLines)
        expect(printableLines(text).split('\n')).toHaveLength(text.split('\n').length)
      }),
    )
  })

  test('shows a title, the clipboard, a cleared screen and reordered text as escapes', () => {
    expect(printable('\x1b]0;owned\x07 \u009b2J \u202egpj \r\nxc: forged')).toBe(
      '\\x1b]0;owned\\x07 \\x9b2J \\u202egpj \\x0d\\nxc: forged',
    )
    expect(printable('\u{e0001}tag')).toBe('\\u{e0001}tag')
  })

  test('is cut at the given length, and says so', () => {
    expect(printable('x'.repeat(1000), 10)).toBe(`${'x'.repeat(10)}…`)
    expect(printable('short', 10)).toBe('short')
  })

  test('cannot begin a line like one of ours when lines are indented', async () => {
    await fc.assert(
      fc.property(hostile, text => {
        const [, ...rest] = indentedLines(`note: ${text}`).split('\n')
        for (const line of rest.slice(0, -1)) expect(line === '' || line.startsWith(' ')).toBe(true)
      }),
    )
    expect(indentedLines('a\nxc: forged\n  already\n')).toBe('a\n  xc: forged\n  already\n')
  })
})

test('JSON text that a terminal prints safely has the same value', async () => {
  await fc.assert(
    fc.property(hostile, text => {
      const json = printableJson(`${JSON.stringify({ text }, undefined, 2)}\n`)
      expect(json).not.toMatch(obeyedInLines)
      expect(JSON.parse(json)).toEqual({ text })
    }),
  )
})
