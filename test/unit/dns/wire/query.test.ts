import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerWriter } from '../../../../src/dns/wire/answer-writer.ts'
import { failureAnswer, ownAnswer } from '../../../../src/dns/wire/local-answer.ts'
import { readMessage } from '../../../../src/dns/wire/message.ts'
import { nameBytes } from '../../../../src/dns/wire/name.ts'
import { ignore, proceed, Query } from '../../../../src/dns/wire/query.ts'
import { keyOf, questionOf, writeQuestion } from '../../../../src/dns/wire/question.ts'
import { query } from '../../../support/dns-upstream.ts'

const read = (bytes: Buffer) => {
  const reader = new Query()
  return { reader, verdict: reader.read({ bytes, at: 0, length: bytes.length }) }
}

const good = fc
  .record({
    name: fc.constantFrom('a', 'www.Example.org', 'x'.repeat(60), '1.0.168.192.in-addr.arpa', '.'),
    type: fc.constantFrom('A', 'AAAA', 'TXT', 'ANY', 'IXFR'),
    flags: fc.constantFrom(0, 0x100, 0x110, 0x120, 0x2100),
    edns: fc.option(fc.nat(0xffff), { nil: undefined }),
    dnssec: fc.boolean(),
  })
  .map(({ name, edns, ...rest }) => query(name, edns === undefined ? rest : { ...rest, edns }))
const damaged = fc
  .tuple(good, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
  .map(([bytes, changes, length]) => {
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
    return bytes.subarray(0, length)
  })
const any = fc.oneof(
  good,
  damaged,
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
)

describe('a DNS query', () => {
  test('is parsed alike wherever it lies in a buffer', () => {
    fc.assert(
      fc.property(any, fc.nat(40), (bytes, at) => {
        const buffer = Buffer.concat([Buffer.alloc(at, 0xc0), bytes, Buffer.alloc(20, 0xff)])
        const reader = new Query()
        const verdict = reader.read({ bytes: buffer, at, length: bytes.length })
        const alone = read(bytes)
        expect(verdict).toBe(alone.verdict)
        if (verdict === proceed) expect(reader.key()).toBe(alone.reader.key())
      }),
    )
  })

  test('of any bytes is answered by rule, dropped, or parsed, and every answer can be parsed', () => {
    const writer = new AnswerWriter()
    fc.assert(
      fc.property(any, bytes => {
        const { reader, verdict } = read(bytes)
        if (verdict === ignore) return
        const into = { bytes: Buffer.alloc(600), at: 3, length: 590 }
        const length = writer.fail(reader, { rcode: verdict === proceed ? 2 : verdict, extended: 1 }, into)
        expect(length).toBeGreaterThanOrEqual(12)
        const answer = into.bytes.subarray(3, 3 + length)
        expect(answer.subarray(0, 2)).toEqual(bytes.subarray(0, 2))
        expect(answer[2]! & 0x80).toBe(0x80)
        if (reader.nameLength > 0) expect(readMessage(answer)).toBeDefined()
        else expect([12, 12 + 11 + 6]).toContain(length)
      }),
      { numRuns: 3000 },
    )
  })

  test('has one key for all spellings, from which it can be restored', () => {
    const { reader } = read(query('wWw.eXample', { type: 'AAAA', edns: 1232, dnssec: true }))
    expect(reader.key()).toBe(keyOf(nameBytes('www.example')!, 28, 1 | 4))
    const question = questionOf(reader.key())
    const wire = writeQuestion(question, { id: 9, edns: true, ad: false, capitals: undefined })
    expect(read(wire).verdict).toBe(proceed)
    expect(read(wire).reader.key()).toBe(reader.key())
  })

  test.each([
    [undefined, 512],
    [1, 512],
    [511, 512],
    [800, 800],
    [1232, 1232],
    [4096, 1232],
  ])('with an OPT record of size %s takes %i bytes over UDP', (edns, limit) => {
    const { reader } = read(query('a', edns === undefined ? {} : { edns }))
    expect(reader.limit('udp')).toBe(limit)
    expect(reader.limit('tcp')).toBe(0xffff)
  })
})

describe('a DNS answer written for a client', () => {
  const writer = new AnswerWriter()
  const records = fc.array(
    fc.record({ type: fc.constantFrom(1, 28, 16), data: fc.uint8Array({ maxLength: 300 }) }),
    { maxLength: 20 },
  )
  const manner = fc.record({
    transport: fc.constantFrom('udp' as const, 'tcp' as const),
    age: fc.nat(10_000),
    ttl: fc.constantFrom(-1, 30),
    extended: fc.constantFrom(-1, 3),
  })

  test('is never longer than the client takes, can be parsed, and has TTLs that only go down', () => {
    fc.assert(
      fc.property(good, records, manner, (...[bytes, own, how]) => {
        const { reader, verdict } = read(bytes)
        if (verdict !== proceed) return
        const question = questionOf(reader.key())
        const answer = ownAnswer(question, { rcode: 0, records: own, ttl: 3000 })
        const into = { bytes: Buffer.alloc(70_000), at: 1000, length: 65_535 }
        const length = writer.write(reader, { answer, manner: how }, into)
        expect(length).toBeGreaterThan(0)
        expect(length).toBeLessThanOrEqual(reader.limit(how.transport))
        const given = into.bytes.subarray(1000, 1000 + length)
        const message = readMessage(Buffer.from(given))!
        expect(message).toBeDefined()
        expect(message.opt !== undefined).toBe(reader.edns)
        expect(given.subarray(12, reader.questionEnd)).toEqual(bytes.subarray(12, reader.questionEnd))
        if (given[2]! & 2) expect(message.records.filter(({ type }) => type !== 41)).toEqual([])
        for (const { ttlAt, type } of message.records)
          if (type !== 41)
            expect(message.bytes.readUInt32BE(ttlAt)).toBe(how.ttl < 0 ? Math.max(0, 3000 - how.age) : 30)
        // No bytes were written beside it.
        expect(into.bytes.subarray(0, 1000).every(byte => byte === 0)).toBe(true)
        expect(into.bytes.subarray(1000 + length).every(byte => byte === 0)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('has the AD bit only for clients that asked for it', () => {
    const ad = (asked: Buffer) => {
      const { reader } = read(asked)
      const answer = failureAnswer(questionOf(reader.key()), 0, -1)
      answer.wire[3]! |= 0x20
      const into = { bytes: Buffer.alloc(600), at: 0, length: 600 }
      writer.write(reader, { answer, manner: { transport: 'udp', age: 0, ttl: -1, extended: -1 } }, into)
      return (into.bytes[3]! & 0x20) !== 0
    }
    expect([ad(query('a', { flags: 0x0120 })), ad(query('a'))]).toEqual([true, false])
    expect(ad(query('a', { edns: 1232, dnssec: true }))).toBe(true)
  })
})
