import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeAnswer } from '../../../../src/dns/index.ts'
import { fullRecords, writtenAnswer } from '../../../../src/dns/wire/full-records.ts'
import { readMessage } from '../../../../src/dns/wire/message.ts'
import { padded } from '../../../../src/dns/wire/padding.ts'
import { questionOf, writeQuestion } from '../../../../src/dns/wire/question.ts'
import { readVector } from '../../../support/vectors.ts'

const folder = join(import.meta.dirname, '../../../vectors/dns')
const answers = readdirSync(folder)
  .filter(file => file.endsWith('.hex'))
  .map(file => Buffer.from(readVector(`dns/${file.slice(0, -4)}`).datagrams.at(-1)!))
  .filter(bytes => describeAnswer(bytes)?.records.length)

/** Takes an answer apart and writes it anew. */
function rewritten(bytes: Buffer): Buffer {
  const message = readMessage(bytes)!
  const question = questionOf(`${bytes.toString('latin1', 12, message.questionEnd)}\x01`)
  const records = fullRecords(message)!.filter(({ type }) => type !== 41)
  return writtenAnswer(question, { rcode: message.rcode, records }).wire
}

describe('an answer that is taken apart and written anew', () => {
  test('has the same records, in all captured answers, with names that were compressed', () => {
    expect(answers.length).toBeGreaterThan(8)
    for (const bytes of answers)
      expect(describeAnswer(rewritten(bytes))).toEqual({ ...describeAnswer(bytes), truncated: false })
  })

  test('has the offsets of its TTLs', () => {
    for (const bytes of answers) {
      const message = readMessage(rewritten(bytes))!
      const question = questionOf(`${bytes.toString('latin1', 12, message.questionEnd)}\x01`)
      const { ttls } = writtenAnswer(question, { rcode: 0, records: fullRecords(message)! })
      expect(Array.from(ttls)).toEqual(message.records.map(({ ttlAt }) => ttlAt))
    }
  })

  test('never throws, whatever the bytes of its data are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.nat(), fc.nat(255), (answer, at, byte) => {
        const bytes = Buffer.from(answer)
        bytes[12 + (at % (bytes.length - 12))] = byte
        const message = readMessage(bytes)
        if (message) fullRecords(message, 5)
      }),
      { numRuns: 2000 },
    )
  })
})

test('a query with an OPT is padded to a multiple of 128 bytes, and others are left as they are', () => {
  const question = questionOf('\x03www\x07example\0\0\x01\0\x01\x01')
  const sent = (edns: boolean) => writeQuestion(question, { id: 1, edns, ad: false, capitals: undefined })
  const whole = padded(sent(true), question.bytes.length)
  expect(whole.length).toBe(128)
  const { opt, records } = readMessage(whole)!
  expect(records).toHaveLength(1)
  expect(whole.readUInt16BE(opt!.dataAt)).toBe(12)
  expect(whole.readUInt16BE(opt!.dataAt + 2)).toBe(128 - opt!.dataAt - 4)
  expect(padded(sent(false), question.bytes.length)).toEqual(sent(false))
})
