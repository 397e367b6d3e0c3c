import { bytes, i32, text, u32, u64, type ValueOf, type Writer } from '../../base/index.ts'
import { attributes, nested } from './attributes.ts'
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_HDRLEN } from './constants.ts'
import type { Message } from './message.ts'

/** The kernel's rule for an attribute (NL_POLICY_TYPE_ATTR_*). */
const policy = attributes({
  type: [1, u32],
  minSigned: [2, u64],
  maxSigned: [3, u64],
  min: [4, u64],
  max: [5, u64],
  minLength: [6, u32],
  maxLength: [7, u32],
})

/** NLMSGERR_ATTR_*: the extended ack. */
export const ackAttributes = attributes({
  message: [1, text],
  offset: [2, u32],
  cookie: [3, bytes],
  policy: [4, nested(policy)],
  missingType: [5, u32],
  missingIn: [6, u32],
})
export type AckAttributes = ValueOf<typeof ackAttributes>

/** The kernel's answer to a request: `errno` is 0 for success, else positive, and the extended ack says more. */
export interface Ack extends AckAttributes {
  readonly errno: number
}

/** Reads the body of NLMSG_ERROR: the errno, the request that it answers (capped or whole), the extended ack. */
export function readAck({ body, flags }: Pick<Message, 'body' | 'flags'>): Ack {
  const errno = Math.abs(i32.read(body))
  const requestLength = body.u32('request length')
  body.skip(NLMSG_HDRLEN - 4, 'request header')
  if (!(flags & NLM_F_ACK_TLVS)) return { errno }
  if (!(flags & NLM_F_CAPPED)) body.skip(align4(requestLength - NLMSG_HDRLEN), 'request')
  return { errno, ...ackAttributes.read(body) }
}

/** Reads the body of NLMSG_DONE: the dump's errno, with the extended ack right after it. */
export function readDone({ body, flags }: Pick<Message, 'body' | 'flags'>): Ack {
  if (body.left === 0) return { errno: 0 }
  const errno = Math.abs(i32.read(body))
  return flags & NLM_F_ACK_TLVS ? { errno, ...ackAttributes.read(body) } : { errno }
}

/** Writes the body of NLMSG_ERROR, as a kernel with NETLINK_CAP_ACK does. */
export function writeAck(out: Writer, { errno, ...extended }: Ack, request: Uint8Array): void {
  out.i32(-errno)
  out.put(request.subarray(0, NLMSG_HDRLEN))
  ackAttributes.write(out, extended)
}

function align4(length: number): number {
  return (length + 3) & ~3
}
