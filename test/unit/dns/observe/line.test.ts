import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineWriter, longestLine } from '../../../../src/dns/observe/log-line.ts'
import type { Answered } from '../../../../src/dns/types.ts'
import { questionFor } from '../../../support/dns-client.ts'

const asker = { transport: 'udp', address: '127.0.0.1', port: 50759 } as const
const bytes = Buffer.alloc(2 * longestLine)

function line(answered: Answered): string {
  const end = new LineWriter().write(answered, bytes, 7)
  expect(end - 7).toBeLessThanOrEqual(longestLine)
  return bytes.toString('latin1', 7, end)
}

function answered(query: Buffer, more: Partial<Answered> = {}): Answered {
  const answer = Buffer.from(query)
  answer[2]! |= 0x80
  answer[3]! |= 0x80
  return { query, answer, asker, source: 'upstream', ms: 37.990251, ...more }
}

test("a log line has CoreDNS's common format", () => {
  expect(line(answered(questionFor('Example.ORG', 29008)))).toBe(
    '[INFO] 127.0.0.1:50759 - 29008 "A IN example.org. udp 29 false 512" NOERROR qr,rd,ra 29 0.037990251s\n',
  )
  const over = { transport: 'tcp', address: 'fd00::1', port: 1 } as const
  expect(line(answered(questionFor('.', 0), { asker: over, ms: 0 }))).toBe(
    '[INFO] [fd00::1]:1 - 0 "A IN . tcp 17 false 512" NOERROR qr,rd,ra 17 0s\n',
  )
})

test('a log line has size and DO of the OPT record, and all twelve bits of the rcode', () => {
  const opt = Buffer.from('0000291000000080000000', 'hex')
  const query = Buffer.concat([questionFor('a.b', 3), opt])
  query[11] = 1
  const answer = Buffer.from(query)
  answer[2] = 0x80
  answer[answer.length - 6] = 1
  expect(line(answered(query, { answer }))).toContain('"A IN a.b. udp 32 true 4096" BADVERS qr 32')
})

test('a name with control characters cannot break its log line', () => {
  const query = questionFor('xxxxxx.org', 1)
  query.set(Buffer.from('a\n" .\\'), 13)
  expect(line(answered(query))).toContain('"A IN a\\010\\"\\032\\.\\\\.org. udp')
})

test('any query gives one log line that fits the buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 400 }), query => {
      const text = line(answered(Buffer.from(query)))
      expect(text.indexOf('\n')).toBe(text.length - 1)
    }),
  )
})
