import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TraceMessage, traceLine } from '../../../../src/base/index.ts'
import { valueText } from '../../../../src/base/trace/value-text.ts'

const message: TraceMessage = {
  area: 'qmp',
  at: Date.UTC(2026, 0, 31, 12, 0, 0, 7),
  direction: 'received',
  peer: 'vm-001 monitor',
  what: 'query-status',
  ms: 0.25,
  value: { id: 7, return: { running: true } },
}

test('a message is one line: time, area, direction, peer, words, duration, value', () => {
  expect(traceLine(message)).toBe(
    '2026-01-31T12:00:00.007Z qmp <- vm-001 monitor: query-status (0.250 ms) {id: 7, return: {running: true}}',
  )
  const { ms: _, ...undated } = message
  expect(traceLine({ ...undated, direction: 'sent', value: {} })).toBe(
    '2026-01-31T12:00:00.007Z qmp -> vm-001 monitor: query-status',
  )
})

test.for<[unknown, string]>([
  [
    { name: 'xcbr0', mac: '00:00:00:01:00:fa', up: true, mtu: 1500, ns: 5n },
    '{name: xcbr0, mac: 00:00:00:01:00:fa, up: true, mtu: 1500, ns: 5}',
  ],
  [{ left: undefined, empty: '', none: null }, '{empty: "", none: null}'],
  [['10', 'true', '1e3', 'a b', 'REQUEST|ACK'], '["10", "true", "1e3", "a b", REQUEST|ACK]'],
  [Uint8Array.of(0, 0xab), '0x00ab'],
  [new Uint8Array(), '(0 bytes)'],
  [new Uint8Array(40), `0x${'00'.repeat(32)}… (40 bytes)`],
  ['x'.repeat(600), `"${'x'.repeat(512)}…" (600 characters)`],
  [
    Array.from({ length: 130 }, (_, i) => i),
    `[${Array.from({ length: 128 }, (_, i) => i).join(', ')}, … 2 more]`,
  ],
  [{ 'a b': 'say "x" \\' }, '{"a b": "say \\"x\\" \\\\"}'],
])('%o is shown as it is read best, and long ones are cut with their length told', ([value, text]) => {
  expect(valueText(value)).toBe(text)
})

test('a value that holds itself ends', () => {
  const circle: Record<string, unknown> = {}
  circle.again = circle
  expect(valueText(circle)).toMatch(/^\{again: .*…\}+$/)
})

test('what others say cannot end the line, move the cursor or turn text around', () => {
  const hostile = 'a\nb\r\x1b[31m\x9b1m\u202egnp\u2028\ud800'
  const line = traceLine({ ...message, peer: hostile, what: hostile, value: { [hostile]: hostile } })
  expect(line).toContain('a\\nb\\x0d\\x1b[31m\\x9b1m\\u202egnp\\u2028\\ud800')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about them
  expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e\u2028]/)
})

test('no value at all breaks the line or makes it longer than a terminal bears', async () => {
  await fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withNullPrototype: true }),
      fc.string({ unit: 'binary' }),
      (value, text) => {
        const line = traceLine({ ...message, peer: text, what: text, value: [value, text] })
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(line.length).toBeLessThan(8300)
      },
    ),
  )
})

test('a line is cut where it would be longer than 8192 characters', () => {
  const line = traceLine({ ...message, value: Array.from({ length: 100 }, () => 'y'.repeat(500)) })
  expect(line).toMatch(/y… \(5\d{4} characters\)$/)
})
