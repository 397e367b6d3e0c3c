import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { QmpError } from '../../../src/qmp/errors.ts'
import { decodeMessage, encodeArguments, encodeRequest } from '../../../src/qmp/wire.ts'

test('requests are compact, and mark out-of-band execution', () => {
  expect(encodeRequest({ command: 'query-status' })).toBe('{"execute":"query-status"}')
  expect(encodeRequest({ command: 'set_link', args: '{"name":"nic0","up":false}', id: 7 })).toBe(
    '{"execute":"set_link","arguments":{"name":"nic0","up":false},"id":7}',
  )
  expect(encodeRequest({ command: 'migrate-pause', id: 1, oob: true })).toBe(
    '{"exec-oob":"migrate-pause","id":1}',
  )
})

test('arguments nested deeper than QEMU reads are refused, and brackets in strings do not count', () => {
  const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  expect(encodeArguments('any', nested(1000))).toContain('1')
  expect(() => encodeArguments('any', nested(1001))).toThrow('nested more than 1000 levels deep')
  const text = { text: '\\"[{'.repeat(2000) }
  expect(encodeArguments('any', text)).toBe(JSON.stringify(text))
})

test('messages of QEMU 7.2 are decoded', () => {
  // Lines of `qemu-system-x86_64 -M none -nodefaults -display none -qmp stdio`, QEMU 7.2.22 (Debian 12)
  expect(
    decodeMessage(
      '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2"}, "capabilities": ["oob"]}}',
    ),
  ).toEqual({
    kind: 'greeting',
    greeting: {
      version: { qemu: { major: 7, minor: 2, micro: 22 }, package: 'Debian 1:7.2' },
      capabilities: ['oob'],
    },
  })
  expect(decodeMessage('{"return": {}}\r')).toEqual({ kind: 'value', id: undefined, value: {} })
  expect(
    decodeMessage(
      '{"error": {"class": "CommandNotFound", "desc": "The command x has not been found"}, "id": 3}',
    ),
  ).toEqual({
    kind: 'refusal',
    id: 3,
    errorClass: 'CommandNotFound',
    reason: 'The command x has not been found',
  })
  expect(
    decodeMessage(
      '{"timestamp": {"seconds": 1700000000, "microseconds": 250000}, "event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}',
    ),
  ).toEqual({
    kind: 'event',
    event: {
      type: 'SHUTDOWN',
      data: { guest: false, reason: 'host-qmp-quit' },
      at: 1_700_000_000_000 + 250,
    },
  })
})

test('any other input is refused with QMP_MALFORMED, never a TypeError', async () => {
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json({ maxDepth: 1 }).map(json => `{"error":${json}}`),
  )
  await fc.assert(
    fc.property(line, text => {
      try {
        decodeMessage(text)
      } catch (failure) {
        expect(failure).toBeInstanceOf(QmpError)
        expect(failure).toMatchObject({ code: 'QMP_MALFORMED' })
      }
    }),
  )
  expect(() => decodeMessage('{"QMP": 1}')).toThrow('not a message of the monitor protocol')
})
