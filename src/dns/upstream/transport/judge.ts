import { flag, flag2, headerBytes, isFailure, Rcode } from '../../wire/constants.ts'
import { type Message, readMessage } from '../../wire/message.ts'
import { compare } from '../../wire/question.ts'

/** A query as it was sent. */
export interface Sent {
  readonly wire: Buffer
  /** The length of its question section. */
  readonly questionLength: number
}

/**
 * What came for a query: an answer; `tcp` or `plain` when the query must be repeated over TCP or without EDNS;
 * `other` when it does not match; `malformed`; `truncated` over TCP, where there is nothing left to try.
 */
export type Judgement = Message | 'tcp' | 'plain' | 'other' | 'malformed' | 'truncated'

/** A datagram. One that is malformed may be a forger's, like one that does not match. */
export function judgeDatagram(sent: Sent, got: Buffer): Exclude<Judgement, 'truncated'> {
  switch (compare(sent.wire, got, sent.questionLength)) {
    case 'match':
      // A truncated answer may be cut anywhere, so it is not parsed.
      return got[2]! & flag.TC ? 'tcp' : (readMessage(got) ?? 'other')
    case 'case':
      // It matches except for letter case: from a server that does not keep it, or from a forger. TCP shows
      // which.
      return 'tcp'
    case 'bare':
      return judgeBare(sent, got)
    default:
      return 'other'
  }
}

/** A message over TCP. */
export function judgeStream(sent: Sent, got: Buffer): Exclude<Judgement, 'tcp'> {
  const likeness = compare(sent.wire, got, sent.questionLength)
  if (likeness === 'other') return 'other'
  if (got[2]! & flag.TC) return 'truncated'
  return likeness === 'bare' ? judgeBare(sent, got) : (readMessage(got) ?? 'malformed')
}

/**
 * An answer without the question. FORMERR and NOTIMP can mean that the server does not know EDNS (RFC 6891
 * §7); other failures, as REFUSED, are answers like those with a question.
 */
function judgeBare({ wire, questionLength }: Sent, got: Buffer): Message | 'plain' | 'malformed' {
  const rcode = got[3]! & flag2.rcode
  const edns = wire.length > headerBytes + questionLength
  if (edns && (!isFailure(rcode) || rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP)) return 'plain'
  if (!isFailure(rcode)) return 'malformed'
  const whole = Buffer.from(wire.subarray(0, headerBytes + questionLength))
  got.copy(whole, 2, 2, 4)
  whole.fill(0, 6, headerBytes)
  return readMessage(whole) ?? 'malformed'
}
