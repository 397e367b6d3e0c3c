import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Unasked } from '../../../src/cli/unasked.ts'

const shown = (...pieces: string[]) => {
  const filter = new Unasked()
  return pieces.map(piece => filter.push(Buffer.from(piece, 'latin1')).toString('latin1')).join('')
}

describe("a console's output for a terminal that is not its input", () => {
  test.each([
    ['the position of the cursor', '\u001b[6n'],
    ['the status of the terminal', '\u001b[?15n'],
    ['its attributes', '\u001b[>0c'],
    ['its identity', '\u001bZ'],
    ['its answerback message', '\u0005'],
  ])('does not ask for %s', (_, query) => {
    expect(shown(`~ # ${query}ls`)).toBe('~ # \u0018ls')
  })

  test('keeps colours, movements and titles', () => {
    const text = '\u001b[1;31mred\u001b[0m\u001b[2J\u001b[10;20H\u001b]0;title\u0007 caf\u00e9'
    expect(shown(text)).toBe(text)
  })

  test('does not ask either when what is left of a query is one', () => {
    const nested = (depth: number) => '\u001b'.repeat(depth) + '[6n'.repeat(depth)
    for (const depth of [1, 2, 8, 9, 10, 11, 500])
      expect(shown(`a${nested(depth)}b`)).not.toContain('\u001b[6n')
  })

  test('does not ask either when the query comes in pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a\u001b[6n', '\u001b[31mb', '\u001b', '[6n', '\u001b[?', '6', 'n', 'x')),
        pieces => {
          const output = shown(...pieces, 'end')
          expect(output).not.toContain('\u001b[6n')
          expect(output.endsWith('end')).toBe(true)
        },
      ),
    )
  })
})
