import {
  type Codec,
  DecodeError,
  EncodeError,
  kindOf,
  Reader,
  type ValueOf,
  type Writer,
} from '../../base/index.ts'
import { take } from '../takes.ts'
import type { AttributeCodec } from './attribute-codec.ts'
import { NLMSG_HDRLEN } from './constants.ts'

/** One received message. `body` follows struct nlmsghdr; offsets count from the start of the datagram. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly port: number
  readonly body: Reader
}

/** The messages of one datagram. Throws {@link DecodeError} at the first malformed one. */
export function* messages(datagram: Uint8Array): Generator<Message> {
  take('read messages', datagram, ['bytes', 'datagram'])
  const from = new Reader(datagram)
  while (from.left > 0) {
    const start = from.offset
    const length = from.u32('message length')
    const head = { type: from.u16(), flags: from.u16(), sequence: from.u32(), port: from.u32() }
    if (length < NLMSG_HDRLEN)
      throw new DecodeError('message', start, `its length ${length} is less than that of its header`)
    const body = from.window(length - NLMSG_HDRLEN, 'message')
    from.skip(Math.min(-length & 3, from.left), 'padding')
    yield { ...head, body }
  }
}

export interface MessageHeader {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly port?: number
}

/** Appends one message and returns the offset at which it starts. */
export function writeMessage(out: Writer, head: MessageHeader, body: (out: Writer) => void): number {
  const start = beginMessage(out, head)
  body(out)
  endMessage(out, start)
  return start
}

export function beginMessage(out: Writer, { type, flags, sequence, port = 0 }: MessageHeader): number {
  const start = out.reserve(NLMSG_HDRLEN)
  out.patchU32(start + 4, (flags << 16) | type)
  out.patchU32(start + 8, sequence)
  out.patchU32(start + 12, port)
  return start
}

export function endMessage(out: Writer, start: number): void {
  const length = out.length - start
  out.patchU32(start, length)
  if ((length & 3) !== 0) out.align(4)
}

type Fields = Readonly<Record<string, Codec<number>>>
type HeaderOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> }

/** The codec of a kind of message. Header fields left out are written as 0. */
export interface Body<Read, Written = Read> {
  write(out: Writer, value: Written): void
  read(from: Reader): Read
  /** The name here of the part at `offset`, for the kernel's refusals. */
  locate?(from: Reader, offset: number): string | undefined
}

/** A family's fixed header (struct ifinfomsg, nfgenmsg, …) and the attributes after it. */
export function message<const F extends Fields, A>(
  header: F,
  attributes: AttributeCodec<A>,
): Body<HeaderOf<F> & { attributes: A }, Partial<HeaderOf<F>> & { attributes?: A }> {
  take('build message', header, ['fields', 'header'])
  take('build message', attributes, ['codec', 'attributes'])
  const fields = Object.entries(header)
  const readHeader = (from: Reader) => {
    const value: Record<string, number> = {}
    for (const [name, codec] of fields) value[name] = codec.read(from)
    return value as HeaderOf<F>
  }
  return {
    write(out, value) {
      if (typeof value !== 'object' || value === null)
        throw new EncodeError('', `${kindOf(value)} is not an object`)
      let at = ''
      try {
        for (const [name, codec] of fields) {
          at = name
          codec.write(out, value[name] ?? 0)
        }
      } catch (failure) {
        throw EncodeError.in(at, failure)
      }
      if (value.attributes !== undefined) attributes.write(out, value.attributes)
    },
    read: from => ({ ...readHeader(from), attributes: attributes.read(from) }),
    locate(from, offset) {
      readHeader(from)
      return attributes.locate?.(from, offset)
    },
  }
}

/** An empty body: NLMSG_DONE, the frame of an nf_tables batch. */
export const noBody: Body<undefined> = { write: () => {}, read: () => undefined }
