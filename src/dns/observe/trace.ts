import { messageOf, type Trace, traceOf } from '../../base/index.ts'
import { describeAnswer } from '../lookup/text.ts'
import { type Answered, type AnswerSource, type Asker, type BufferView, drop } from '../types.ts'
import { flag, headerBytes } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import { classText, rcodeText, typeText } from '../wire/mnemonics.ts'
import { nameText } from '../wire/name.ts'
import { Query } from '../wire/query.ts'
import type { Question } from '../wire/question.ts'
import { rcodeOf } from '../wire/rcode.ts'

/** A question or an answer, to or from a client or an upstream. */
export interface DnsTraceValue {
  readonly id?: number
  /** The size of the message. */
  readonly bytes?: number
  /** In a question: the DO bit (RFC 3225), and the largest UDP answer that the client accepts (RFC 6891 §6.2.3). */
  readonly dnssec?: true
  readonly udpSize?: number
  /** The source of an answer. */
  readonly source?: AnswerSource
  readonly rcode?: string
  readonly truncated?: true
  /** As in a zone file: `example.org. 300 IN A 192.0.2.1`. */
  readonly records?: readonly string[]
  /** Why an upstream gave no answer. */
  readonly reason?: string
}

export const trace: Trace<DnsTraceValue> = traceOf('dns')

const reader = new Query()

/** A question of a client. */
export function tellQuestion(query: Uint8Array, asker: Asker): void {
  const what = readQuestion(query)
  const { edns, dnssec, udpSize } = reader
  const value = {
    ...sizes(query),
    ...(dnssec && { dnssec: true as const }),
    ...(edns && { udpSize }),
  }
  trace.tell({ direction: 'received', peer: askerText(asker), what, value })
}

/** An answer that did not have to wait has no duration. */
export function tellAnswer({ query, answer, asker, source, ms }: Answered): void {
  const value = { ...sizes(answer), source, ...contentOf(answer) }
  const what = `${readQuestion(query)} ${value.rcode} from ${source}`
  trace.tell({ direction: 'sent', peer: askerText(asker), what, ...(ms > 0 && { ms }), value })
}

/** A question that gets no answer. */
export function tellDrop(query: Uint8Array, asker: Asker): void {
  const what = `${readQuestion(query)} dropped`
  trace.tell({ direction: 'noted', peer: askerText(asker), what, value: sizes(query) })
}

/** A question in its buffer, and the answer that was written, which may be {@link drop}. */
interface AtOnce {
  readonly query: BufferView
  readonly asker: Asker
  readonly into: BufferView
  readonly length: number
  readonly source: AnswerSource
}

/** A question that was answered or dropped at once. */
export function tellAtOnce({ query, asker, into, length, source }: AtOnce): void {
  const asked = query.bytes.subarray(query.at, query.at + query.length)
  const answer = into.bytes.subarray(into.at, into.at + length)
  tellQuestion(asked, asker)
  if (length === drop) tellDrop(asked, asker)
  else tellAnswer({ query: asked, answer, asker, source, ms: 0 })
}

export function tellUpstreamAsked(name: string, question: Question, how: 'at first' | 'over TCP'): void {
  const what = how === 'at first' ? textOf(question) : `${textOf(question)} once more, over TCP`
  trace.tell({ direction: 'sent', peer: `upstream ${name}`, what, value: {} })
}

export function tellUpstreamAnswer(
  name: string,
  question: Question,
  { message, ms }: { readonly message: Message; readonly ms: number },
): void {
  const value = { ...sizes(message.bytes), ...contentOf(message.bytes), rcode: rcodeText(message.rcode) }
  const what = `${textOf(question)} ${value.rcode}`
  trace.tell({ direction: 'received', peer: `upstream ${name}`, what, ms, value })
}

export function tellUpstreamFailure(
  name: string,
  question: Question,
  { failure, ms }: { readonly failure: unknown; readonly ms: number },
): void {
  const what = `${textOf(question)} without an answer`
  trace.tell({
    direction: 'noted',
    peer: `upstream ${name}`,
    what,
    ms,
    value: { reason: messageOf(failure) },
  })
}

/** The text of a question. Its other fields are then in `reader`. */
function readQuestion(query: Uint8Array): string {
  reader.read({ bytes: query as Buffer, at: 0, length: query.length })
  return reader.nameLength > 0
    ? questionText(nameText(query, headerBytes), reader.type, reader.class)
    : 'malformed question'
}

function textOf({ bytes }: Question): string {
  const end = bytes.length - 4
  return questionText(nameText(bytes), bytes.readUInt16BE(end), bytes.readUInt16BE(end + 2))
}

/** `AAAA example.org.` A class other than IN comes first. */
function questionText(name: string, type: number, klass: number): string {
  return [...(klass === 1 ? [] : [classText(klass)]), typeText(type), name].join(' ')
}

function sizes(message: Uint8Array): { id?: number; bytes: number } {
  return message.length < 2
    ? { bytes: message.length }
    : { id: (message[0]! << 8) | message[1]!, bytes: message.length }
}

function contentOf(answer: Uint8Array): Pick<DnsTraceValue, 'truncated' | 'records'> & { rcode: string } {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.length)
  const { records = [] } = describeAnswer(bytes) ?? {}
  return {
    rcode: rcodeText(rcodeOf(answer)),
    ...((answer[2]! & flag.TC) !== 0 && { truncated: true as const }),
    ...(records.length > 0 && {
      records: records.map(row => `${row.name} ${row.ttl} ${row.class} ${row.type} ${row.data}`),
    }),
  }
}

function askerText({ transport, address, port }: Asker): string {
  return `${transport} ${address.includes(':') ? `[${address}]` : address}:${port}`
}
