import { ArgumentError, messageOf, type Port, type PortReceiver, Serial } from '../base/index.ts'
import { closedError, type Doing, type NetlinkError, overrunError, sendError } from './errors.ts'
import {
  Batch,
  Dump,
  doingOf,
  type Exchange,
  interruptedError,
  Questions,
  Transaction,
  throwFailures,
} from './exchange.ts'
import { type Request, Window } from './request.ts'
import { take } from './takes.ts'
import { type SocketDescription, SocketTrace } from './trace.ts'
import { type Message, messages, NLM_F_ACK, NLM_F_DUMP } from './wire/index.ts'

/** Is also told when the kernel dropped messages to this socket (ENOBUFS). */
export interface NetlinkReceiver extends PortReceiver {
  overrun?(): void
}

/** A netlink socket. Each datagram is one or more whole messages, and comes from the kernel. */
export interface NetlinkPort extends Port {
  receive(receiver: NetlinkReceiver): void
}

/**
 * The most messages in a datagram. All of them may fail, and 256 answers at once overflow a default receive
 * buffer.
 */
const windowSize = 128

/** The most attempts at a dump that the kernel keeps interrupting. */
const dumpTries = 20

/**
 * Requests and their answers over one netlink socket. Many can be pending at once: answers are matched by
 * sequence number, and unexpected ones are dropped. Dumps take turns: the kernel runs one per socket.
 *
 * Like libnl's `nl_socket`, or vishvananda/netlink's `Handle` without the families.
 */
export class Connection implements AsyncDisposable {
  readonly #port: NetlinkPort
  readonly #pending = new Set<Exchange<unknown>>()
  readonly #dumps = new Serial()
  readonly #trace: SocketTrace
  #sequence = 0
  #closed = false
  #failure: Error | undefined

  /** `description` says in traces what it is about. */
  constructor(port: NetlinkPort, description?: SocketDescription) {
    this.#port = port
    this.#trace = new SocketTrace(description)
    port.receive({
      data: bytes => this.#receive(bytes),
      overrun: () => {
        if (this.#trace.on) this.#trace.overrun()
        this.#fail(overrunError)
      },
      end: failure => this.#end(failure),
    })
  }

  /** Sends one message and waits for the kernel's acknowledgement. Throws {@link NetlinkError}. */
  async request(request: Request): Promise<void> {
    await this.batch([request])
  }

  /**
   * Sends many messages in as few datagrams as possible. The kernel processes them in order and continues
   * after one that it refuses: a batch is not a transaction. Throws the first refusal, with the others in
   * `others`.
   */
  async batch(requests: readonly Request[]): Promise<void> {
    listed(requests)
    await this.#carryOut(this.#windows(requests), requests.length)
  }

  /** Encodes a batch now; the function that it returns sends it. */
  prepare(requests: readonly Request[]): () => Promise<void> {
    listed(requests)
    const windows = [...this.#windows(requests)]
    return () => this.#carryOut(windows, requests.length)
  }

  /**
   * Sends, in one datagram, requests that the kernel accepts all or none of. The first and the last are the
   * frame, and the one before the last requests an ack. Returns the messages that the kernel echoes
   * (NLM_F_ECHO). Throws the first refusal.
   */
  async transaction<T>(requests: readonly Request[], read: (message: Message) => T): Promise<T[]> {
    if (take('send transaction', listed(requests), ['requests', 'requests']).length === 0) return []
    take('send transaction', read, ['action', 'read'])
    if (!((requests.at(-2)?.flags ?? 0) & NLM_F_ACK)) throw unanswered()
    const window = new Window(requests, this.#number(requests.length), 'none')
    return await this.#exchange(new Transaction(window, read))
  }

  /** Sends one query and returns the messages that the kernel answers before its ack. */
  async ask<T>(request: Request, read: (message: Message) => T): Promise<T[]> {
    const [answer] = await this.askEach([request], read)
    if (answer === undefined || !Array.isArray(answer)) throw answer
    return answer
  }

  /** Sends many queries in few datagrams. Each result is the query's answers or its refusal. */
  async askEach<T>(
    requests: readonly Request[],
    read: (message: Message) => T,
  ): Promise<(T[] | NetlinkError)[]> {
    take('ask', listed(requests), ['requests', 'requests'])
    take('ask', read, ['action', 'read'])
    const answers: (T[] | NetlinkError)[] = []
    for (const window of this.#windows(requests))
      answers.push(...(await this.#exchange(new Questions(window, read))))
    return answers
  }

  /**
   * Lists a table. When the kernel marks a listing as interrupted by a change, it is discarded and requested
   * again. So the result is the table as it was at one moment.
   */
  async *dump<T>(request: Request, read: (message: Message) => T): AsyncGenerator<T, void, undefined> {
    take('list', [request], ['requests', 'requests'])
    take('list', read, ['action', 'read'])
    yield* await this.#dumps.run(() => this.#dumpOnce(request, read))
  }

  /** Rejects pending requests and closes the socket. */
  async close(): Promise<void> {
    this.#end()
    await this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #carryOut(windows: Iterable<Window>, tried: number): Promise<void> {
    const failures: NetlinkError[] = []
    for (const window of windows) failures.push(...(await this.#exchange(new Batch(window))))
    throwFailures(failures, tried)
  }

  async #dumpOnce<T>(request: Request, read: (message: Message) => T): Promise<T[]> {
    const asking = { ...request, flags: (request.flags ?? 0) | NLM_F_DUMP }
    for (let tries = 0; tries < dumpTries; tries++) {
      const window = new Window([asking], this.#number(1), 'none')
      const values = await this.#exchange(new Dump(window, read))
      if (values) return values
    }
    throw interruptedError(request, dumpTries)
  }

  *#windows(requests: readonly Request[]): Generator<Window> {
    for (let start = 0; start < requests.length; start += windowSize) {
      const some = requests.slice(start, start + windowSize)
      yield new Window(some, this.#number(some.length))
    }
  }

  /** Takes `count` consecutive sequence numbers and returns the first. The kernel uses 0 for its events. */
  #number(count: number): number {
    if (this.#sequence + count > 0xffffffff) this.#sequence = 0
    const first = this.#sequence + 1
    this.#sequence += count
    return first
  }

  #exchange<T>(exchange: Exchange<T>): Promise<T> {
    if (this.#closed) throw closedError(doingOf(exchange.window.requests), this.#failure)
    this.#pending.add(exchange)
    if (this.#trace.on) this.#trace.sending(exchange.window)
    try {
      this.#port.send(exchange.window.bytes)
    } catch (failure) {
      this.#pending.delete(exchange)
      throw sendError(doingOf(exchange.window.requests), failure)
    }
    return exchange.answer.promise
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of messages(bytes)) this.#dispatch(message)
    } catch (malformed) {
      this.#fail(doing => closedError(doing, new Error(messageOf(malformed), { cause: malformed })))
    }
  }

  #dispatch(message: Message): void {
    const exchange = this.#exchangeOf(message.sequence)
    if (this.#trace.on) this.#trace.heard(message, exchange?.window)
    if (exchange) this.#take(exchange, message)
  }

  #exchangeOf(sequence: number): Exchange<unknown> | undefined {
    for (const exchange of this.#pending) if (exchange.window.has(sequence)) return exchange
    return undefined
  }

  #take(exchange: Exchange<unknown>, message: Message): void {
    try {
      if (exchange.take(message)) this.#pending.delete(exchange)
    } catch (malformed) {
      this.#pending.delete(exchange)
      exchange.answer.reject(malformed)
    }
  }

  #end(failure?: Error): void {
    this.#failure ??= this.#closed ? undefined : failure
    this.#closed = true
    this.#fail(doing => closedError(doing, failure))
  }

  #fail(why: (doing: Doing) => NetlinkError): void {
    for (const exchange of this.#pending) exchange.answer.reject(why(doingOf(exchange.window.requests)))
    this.#pending.clear()
  }
}

/** A list of requests; {@link Window} looks at each. */
function listed(requests: readonly Request[]): readonly Request[] {
  if (Array.isArray(requests)) return requests
  return take('send netlink messages', requests, ['requests', 'requests'])
}

function unanswered(): ArgumentError {
  const reason = 'no message but the last asks for an acknowledgement, so that none would come'
  return new ArgumentError('send transaction', `${reason}: the one before the last needs NLM_F_ACK`)
}
