import { type Deferred, defer } from '../base/index.ts'
import { type Doing, firstOf, NetlinkError } from './errors.ts'
import type { Request, Window } from './request.ts'
import { type Message, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, readAck, readDone } from './wire/index.ts'

/**
 * Requests that were sent and are not fully answered yet. It takes the answers one by one. Apart from its
 * promise it is pure.
 */
export interface Exchange<T> {
  readonly window: Window
  readonly answer: Deferred<T>
  /** Takes a message with a sequence number of its window. Returns true after the last one. */
  take(message: Message): boolean
}

/** The name of an exchange as a whole, for failures that belong to no single message. */
export function doingOf(requests: readonly Request[]): Doing {
  const [first] = requests as [Request]
  if (requests.length === 1) return first
  return { op: `${first.op} ${first.target ?? ''} and ${requests.length - 1} more`.replace('  ', ' ') }
}

/** Waits for the last message's ack. By then the kernel has processed all of them, in order. */
export class Batch implements Exchange<NetlinkError[]> {
  readonly window: Window
  readonly answer = defer<NetlinkError[]>()
  readonly #failures: NetlinkError[] = []

  constructor(window: Window) {
    this.window = window
  }

  take(message: Message): boolean {
    if (message.type !== NLMSG_ERROR) return false
    const ack = readAck(message)
    if (ack.errno !== 0) this.#failures.push(this.window.refusal(message.sequence, ack))
    if (!this.window.isLast(message.sequence)) return false
    this.answer.resolve(this.#failures)
    return true
  }
}

/**
 * Requests in a frame (nfnetlink's NFNL_MSG_BATCH_BEGIN and END) that the kernel accepts as a whole or not at
 * all. The result is the messages that it echoes (NLM_F_ECHO). Its acks come after the whole frame is
 * decided, in the order of the requests, and include good messages of an aborted batch. An error on the
 * frame's beginning is an error of the whole (net/netfilter/nfnetlink.c).
 */
export class Transaction<T> implements Exchange<T[]> {
  readonly window: Window
  readonly answer = defer<T[]>()
  readonly #read: (message: Message) => T
  readonly #answers: T[] = []
  readonly #failures: NetlinkError[] = []

  /** The last request before the frame's end requests the ack. */
  constructor(window: Window, read: (message: Message) => T) {
    this.window = window
    this.#read = read
  }

  take(message: Message): boolean {
    if (message.type !== NLMSG_ERROR) {
      this.#answers.push(this.#read(message))
      return false
    }
    const ack = readAck(message)
    if (ack.errno !== 0) this.#failures.push(this.window.refusal(message.sequence, ack))
    const { first, requests } = this.window
    const over = message.sequence === first || message.sequence >= first + requests.length - 2
    if (over && this.#failures.length > 0) this.answer.reject(firstOf(this.#failures, requests.length - 2))
    else if (over) this.answer.resolve(this.#answers)
    return over
  }
}

/** One query per message. Each result is the kernel's answers to it, or its refusal. */
export class Questions<T> implements Exchange<(T[] | NetlinkError)[]> {
  readonly window: Window
  readonly answer = defer<(T[] | NetlinkError)[]>()
  readonly #read: (message: Message) => T
  readonly #answers: (T[] | NetlinkError)[]

  constructor(window: Window, read: (message: Message) => T) {
    this.window = window
    this.#read = read
    this.#answers = window.requests.map(() => [])
  }

  take(message: Message): boolean {
    const index = message.sequence - this.window.first
    if (message.type === NLMSG_ERROR) {
      const ack = readAck(message)
      if (ack.errno !== 0) this.#answers[index] = this.window.refusal(message.sequence, ack)
      if (!this.window.isLast(message.sequence)) return false
      this.answer.resolve(this.#answers)
      return true
    }
    const answers = this.#answers[index]
    if (Array.isArray(answers)) answers.push(this.#read(message))
    return false
  }
}

/** A whole table, or `undefined` when it changed while the kernel listed it (NLM_F_DUMP_INTR). */
export class Dump<T> implements Exchange<T[] | undefined> {
  readonly window: Window
  readonly answer = defer<T[] | undefined>()
  readonly #read: (message: Message) => T
  readonly #values: T[] = []
  #interrupted = false

  constructor(window: Window, read: (message: Message) => T) {
    this.window = window
    this.#read = read
  }

  take(message: Message): boolean {
    if (message.flags & NLM_F_DUMP_INTR) this.#interrupted = true
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      const ack = message.type === NLMSG_DONE ? readDone(message) : readAck(message)
      if (ack.errno !== 0) this.answer.reject(this.window.refusal(message.sequence, ack))
      else this.answer.resolve(this.#interrupted ? undefined : this.#values)
      return true
    }
    this.#values.push(this.#read(message))
    return false
  }
}

/** Throws the failures, if there are any. */
export function throwFailures(failures: readonly NetlinkError[], tried: number): void {
  if (failures.length > 0) throw firstOf(failures, tried)
}

export function interruptedError(doing: Doing, tries: number): NetlinkError {
  return new NetlinkError({
    code: 'NETLINK_DUMP_INTERRUPTED',
    ...doing,
    reason: `the table changed during each of ${tries} attempts to list it`,
    remedy: 'Try again when fewer changes are being made',
  })
}
