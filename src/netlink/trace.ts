import { errnoName, errnoText, messageOf, Reader, type Trace, traceOf } from '../base/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import { flagsText } from './flags.ts'
import type { Request, Window } from './request.ts'
import {
  type Ack,
  type Message,
  messages,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAck,
  readDone,
  type UnknownAttribute,
} from './wire/index.ts'

/** A decoded netlink message. */
export interface NetlinkTraceValue {
  readonly sequence: number
  /** The kernel's names without NLM_F_: `REQUEST|ACK|CREATE|EXCL`. Absent if none is set. */
  readonly flags?: string
  /**
   * What follows the header: decoded if a floor above knows the type, else as bytes. Unknown attributes are replaced by
   * their number and size. Absent in acknowledgements.
   */
  readonly body?: unknown
  /** In a refusal: the kernel's error number, and its extended ack. */
  readonly errno?: number
  readonly message?: string
  readonly offset?: number
  /** Our name for the attribute at the offset. */
  readonly attribute?: string
}

/** Names and decodes the messages of one netlink family. */
export interface MessageDecoder {
  /** The area that messages of this family are traced in. */
  readonly area: 'netlink' | 'nft'
  /** `route`. */
  readonly family: string
  /** `RTM_NEWLINK`. */
  nameOf(type: number): string | undefined
  /** The decoded body of a message in either direction; undefined for a message without one. */
  read(message: Message): unknown
}

const plainDecoder: MessageDecoder = {
  area: 'netlink',
  family: 'netlink',
  nameOf: () => undefined,
  read: ({ body }) => body.take(body.left),
}

const traces: Readonly<Record<MessageDecoder['area'], Trace<NetlinkTraceValue>>> = {
  netlink: traceOf('netlink'),
  nft: traceOf('nft'),
}

/** The family and the namespace of a socket, if known. */
export interface SocketDescription {
  readonly decoder?: MessageDecoder | undefined
  readonly namespace?: Pick<NetNamespace, 'inode'> | undefined
}

/** Traces the messages on one netlink socket. */
export class SocketTrace {
  readonly #trace: Trace<NetlinkTraceValue>
  readonly #decoder: MessageDecoder
  readonly #namespace: SocketDescription['namespace']
  readonly #sentAt = new WeakMap<Window, number>()

  constructor({ decoder = plainDecoder, namespace }: SocketDescription = {}) {
    this.#trace = traces[decoder.area]
    this.#decoder = decoder
    this.#namespace = namespace
  }

  get on(): boolean {
    return this.#trace.on
  }

  /** To be called before they are sent: when sendmsg(2) returns, the kernel has already carried them out. */
  sending(window: Window): void {
    for (const message of messages(window.bytes)) {
      const type = this.#nameOf(message.type)
      const what = [type, doing(window.requestOf(message.sequence))].filter(Boolean).join(' ')
      this.#trace.tell({ direction: 'sent', peer: this.#peer(), what, value: this.#value(type, message) })
    }
    this.#sentAt.set(window, performance.now())
  }

  /** An answer. Without a window, nothing waits for it any more. */
  heard(message: Message, window?: Window): void {
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) this.#ended(message, window)
    else this.#told(message, doing(window?.requestOf(message.sequence)))
  }

  /** A multicast event. */
  event(message: Message): void {
    this.#told(message, 'event')
  }

  overrun(): void {
    const what = 'overrun: the kernel dropped messages, the receive buffer was full'
    this.#trace.tell({ direction: 'noted', peer: this.#peer(), what, value: { sequence: 0 } })
  }

  #told(message: Message, about: string): void {
    const type = this.#nameOf(message.type)
    const what = [type, about].filter(Boolean).join(' ')
    this.#trace.tell({ direction: 'received', peer: this.#peer(), what, value: this.#value(type, message) })
  }

  #ended(message: Message, window: Window | undefined): void {
    const request = window?.requestOf(message.sequence)
    const about = [request && this.#nameOf(request.type), doing(request)].filter(Boolean).join(' ')
    const sentAt = window && this.#sentAt.get(window)
    const ack = ackOf(message)
    const type = message.type === NLMSG_DONE ? 'NLMSG_DONE' : 'NLMSG_ERROR'
    this.#trace.tell({
      direction: 'received',
      peer: this.#peer(),
      what: `${verdictOf(type, ack)} ${about || 'without a request'}`,
      ...(sentAt !== undefined && { ms: performance.now() - sentAt }),
      value: {
        ...headOf(type, message),
        ...(ack && refusalOf(ack, attributeOf(ack, message, window))),
      },
    })
  }

  #value(type: string, message: Message): NetlinkTraceValue {
    const body = this.#bodyOf(message)
    return { ...headOf(type, message), ...(body !== undefined && { body }) }
  }

  /** A body that cannot be decoded is an error for the caller, but only a text in a trace. */
  #bodyOf(message: Message): unknown {
    try {
      return summarised(this.#decoder.read(again(message)))
    } catch (malformed) {
      return messageOf(malformed)
    }
  }

  #peer(): string {
    const { family } = this.#decoder
    return this.#namespace ? `${family} net:[${this.#namespace.inode}]` : family
  }

  #nameOf(type: number): string {
    return this.#decoder.nameOf(type) ?? `type ${type}`
  }
}

function headOf(type: string, { sequence, flags }: Message): NetlinkTraceValue {
  return { sequence, ...(flags !== 0 && { flags: flagsText(type, flags) }) }
}

function doing(request: Request | undefined): string {
  return request ? [request.op, request.target].filter(Boolean).join(' ') : ''
}

function refusalOf(ack: Ack, attribute: string | undefined): Partial<NetlinkTraceValue> {
  if (ack.errno === 0) return ack.message === undefined ? {} : { message: ack.message }
  const { errno, message, offset } = ack
  const words = [errnoText(errno), message].filter(Boolean).join(': ')
  return {
    errno,
    message: words,
    ...(offset !== undefined && { offset }),
    ...(attribute !== undefined && { attribute }),
  }
}

/** The same message with a new reader: its receiver still has to read it from the start. */
function again({ body, ...head }: Message): Message {
  return { ...head, body: new Reader(body.bytes, body.offset, body.end) }
}

/** The same value with a summary in place of each list of unknown attributes. */
function summarised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(summarised)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const entries = Object.entries(value).map(([name, field]) => [
    name,
    name === 'unknown' && Array.isArray(field) ? unknownText(field) : summarised(field),
  ])
  return Object.fromEntries(entries)
}

function unknownText(unknown: readonly UnknownAttribute[]): string {
  const bytes = unknown.reduce((sum, each) => sum + each.bytes.length, 0)
  return `${unknown.length} attributes, ${bytes} bytes`
}

/** Undefined when it cannot be decoded. */
function ackOf(message: Message): Ack | undefined {
  try {
    return (message.type === NLMSG_DONE ? readDone : readAck)(again(message))
  } catch {
    return undefined
  }
}

/** Undefined also when the search throws: some bodies can be encoded but not decoded. */
function attributeOf(ack: Ack, { sequence }: Message, window: Window | undefined): string | undefined {
  try {
    return window?.attributeAt(sequence, ack)
  } catch {
    return undefined
  }
}

function verdictOf(type: string, ack: Ack | undefined): string {
  if (!ack) return `malformed ${type}`
  if (ack.errno !== 0) return errnoName(ack.errno)
  return type === 'NLMSG_DONE' ? 'done' : 'ack'
}
