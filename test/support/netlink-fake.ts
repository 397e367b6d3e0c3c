import { type Port, Writer } from '../../src/base/index.ts'
import {
  type Ack,
  type Body,
  type Message,
  messages,
  type NetlinkPort,
  type NetlinkReceiver,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  writeAck,
  writeMessage,
} from '../../src/netlink/index.ts'

/** A request as the fake kernel receives it. */
export interface Seen extends Message {
  /** The whole message, header included. */
  readonly bytes: Uint8Array
}

interface Answer<V> {
  readonly type: number
  readonly body: Pick<Body<unknown, V>, 'write'>
  readonly value: V
}

type Handler = (request: Seen, kernel: FakeKernel) => void

/**
 * The kernel's end of a netlink socket. It answers through the project's own codecs, a microtask later, as a
 * socket would. By default it acks every request that asks for it.
 */
export class FakeKernel implements NetlinkPort {
  readonly sends: Seen[][] = []
  closes = 0
  handler: Handler = (request, kernel) => kernel.ack(request)
  #receiver: NetlinkReceiver | undefined

  receive(receiver: NetlinkReceiver): void {
    this.#receiver = receiver
  }

  send: Port['send'] = bytes => {
    const datagram = bytes.slice()
    const seen = Array.from(messages(datagram), message => {
      const start = message.body.offset - NLMSG_HDRLEN
      return { ...message, bytes: datagram.subarray(start, message.body.end) }
    })
    this.sends.push(seen)
    queueMicrotask(() => {
      for (const request of seen) this.handler(request, this)
    })
  }

  /** An ack if one was requested, and a refusal in any case, as in netlink_rcv_skb(). */
  ack(request: Seen, ack: Ack = { errno: 0 }): void {
    if (ack.errno === 0 && !(request.flags & NLM_F_ACK)) return
    const flags = NLM_F_CAPPED | NLM_F_ACK_TLVS
    this.#emit(out =>
      writeMessage(out, { type: NLMSG_ERROR, flags, sequence: request.sequence }, () =>
        writeAck(out, ack, request.bytes),
      ),
    )
  }

  /** One answer. */
  reply<V>(request: Pick<Seen, 'sequence'>, answer: Answer<V>): void {
    this.#emit(out =>
      writeMessage(out, { type: answer.type, flags: 0, sequence: request.sequence }, () =>
        answer.body.write(out, answer.value),
      ),
    )
  }

  /** A whole dump in one datagram; `flags` may have NLM_F_DUMP_INTR. */
  dump<V>(
    request: Seen,
    what: {
      type: number
      body: Pick<Body<unknown, V>, 'write'>
      values: readonly V[]
      flags?: number
      errno?: number
    },
  ): void {
    const flags = NLM_F_MULTI | (what.flags ?? 0)
    this.#emit(out => {
      for (const value of what.values)
        writeMessage(out, { type: what.type, flags, sequence: request.sequence }, () =>
          what.body.write(out, value),
        )
      writeMessage(out, { type: NLMSG_DONE, flags, sequence: request.sequence }, () =>
        out.i32(-(what.errno ?? 0)),
      )
    })
  }

  /** Sends raw bytes: malformed ones, late ones. */
  data(bytes: Uint8Array): void {
    this.#receiver?.data(bytes)
  }

  overrun(): void {
    this.#receiver?.overrun?.()
  }

  end(failure?: Error): void {
    this.#receiver?.end(failure)
  }

  async close(): Promise<void> {
    this.closes++
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #emit(write: (out: Writer) => void): void {
    const out = new Writer()
    write(out)
    this.#receiver?.data(out.done())
  }
}
