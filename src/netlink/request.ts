import { EncodeError, Reader, Writer } from '../base/index.ts'
import { type Doing, NetlinkError, refusal } from './errors.ts'
import { take } from './takes.ts'
import {
  type Ack,
  type Body,
  beginMessage,
  endMessage,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_HDRLEN,
} from './wire/index.ts'

/** One message to the kernel, with the operation and target that its errors repeat. */
export interface Request extends Doing {
  readonly type: number
  /** NLM_F_* flags besides REQUEST and ACK, which the engine sets. */
  readonly flags?: number
  readonly body: Pick<Body<unknown>, 'write' | 'locate'>
  readonly value: unknown
}

/** Builds a {@link Request}. The compiler checks the value against the body. */
export function request<V>(
  body: Pick<Body<unknown, V>, 'write' | 'locate'>,
  value: V,
  rest: Omit<Request, 'body' | 'value'>,
): Request {
  take('build request', body, ['writer', 'body'])
  take('build request', rest, 'about')
  return { ...rest, body: body as Request['body'], value }
}

/** Requests as one datagram, for the kernel of another machine. Their own flags decide about acknowledgements. */
export function datagramOf(requests: readonly Request[]): Uint8Array {
  return new Window(requests, 0, 'none').bytes
}

/** Requests that go out in one datagram, with sequence numbers counting up from `first`. */
export class Window {
  readonly requests: readonly Request[]
  readonly first: number
  readonly #out: Writer
  readonly #starts: number[] = []

  /**
   * `acks: 'last'`: the kernel reports failures in any case, and 256 acks at once overflow a default receive
   * buffer.
   */
  constructor(requests: readonly Request[], first: number, acks: 'last' | 'none' = 'last') {
    take('send netlink messages', requests, ['requests', 'requests'])
    this.requests = requests
    this.first = first
    this.#out = new Writer(Math.max(512, requests.length * 96))
    for (const [index, request] of requests.entries()) {
      const ack = acks === 'last' && index === requests.length - 1 ? NLM_F_ACK : 0
      const flags = (request.flags ?? 0) | NLM_F_REQUEST | ack
      const start = beginMessage(this.#out, { type: request.type, flags, sequence: first + index })
      write(this.#out, request)
      endMessage(this.#out, start)
      this.#starts.push(start)
    }
  }

  get bytes(): Uint8Array {
    return this.#out.done()
  }

  /** True for the sequence number of one of these requests. */
  has(sequence: number): boolean {
    return sequence >= this.first && sequence < this.first + this.requests.length
  }

  isLast(sequence: number): boolean {
    return sequence === this.first + this.requests.length - 1
  }

  requestOf(sequence: number): Request | undefined {
    return this.requests[sequence - this.first]
  }

  /** The kernel's refusal of one of them, its offset turned into the attribute's name. */
  refusal(sequence: number, ack: Ack): NetlinkError {
    return refusal(this.requestOf(sequence) as Request, ack, this.attributeAt(sequence, ack))
  }

  /** Our name for what an extended ack points at in one of them. */
  attributeAt(sequence: number, { offset }: Ack): string | undefined {
    if (offset === undefined) return undefined
    const index = sequence - this.first
    const start = this.#starts[index] as number
    const end = this.#starts[index + 1] ?? this.bytes.length
    const request = this.requests[index] as Request
    const body = new Reader(this.bytes.subarray(start, end))
    body.skip(NLMSG_HDRLEN, 'header')
    return request.body.locate?.(body, offset)
  }
}

function write(out: Writer, { body, value, op, target }: Request): void {
  try {
    body.write(out, value)
  } catch (failure) {
    if (!(failure instanceof EncodeError)) throw failure
    const { place, reason } = failure
    throw new NetlinkError({
      ...{ code: 'NETLINK_ENCODE', kind: 'usage', op, cause: failure },
      ...(target !== undefined && { target }),
      reason: place ? `${place}: ${reason}` : reason,
      ...(place && { attribute: place }),
    })
  }
}
