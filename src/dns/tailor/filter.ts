import { Type } from '../wire/constants.ts'
import { type FullRecord, fullRecords, writtenAnswer } from '../wire/full-records.ts'
import { readMessage } from '../wire/message.ts'
import { keyFlag } from '../wire/query.ts'
import type { Question } from '../wire/question.ts'
import type { Given } from './given.ts'

/** The addresses that are left out of answers: `aaaa` for clients that are to use IPv4 alone, `a` for IPv6. */
export type AddressFilter = 'aaaa' | 'a'

export const filteredTypes = { aaaa: Type.AAAA, a: Type.A } as const

/**
 * The answer without its records of a type. Aliases stay, and so does everything signed that a validating client
 * asked for: it would take the rest for forged.
 */
export function withoutType(question: Question, given: Given, type: number): Given {
  const message = readMessage(given.answer.wire)
  const records = message && fullRecords(message, given.age)
  if (!records?.some(record => record.type === type)) return given
  if (question.flags & keyFlag.DO && records.some(record => record.type === Type.RRSIG)) return given
  const kept = records.filter(record => record.type !== type && covered(record) !== type)
  const { rcode, extended } = given.answer
  return { ...given, age: 0, answer: writtenAnswer(question, { rcode, records: kept, extended }) }
}

/** The type that a signature covers (RFC 4034 §3.1.1). */
function covered({ type, data }: FullRecord): number | undefined {
  return type === Type.RRSIG && data.length >= 2 ? (data[0]! << 8) | data[1]! : undefined
}
