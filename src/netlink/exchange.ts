import { type Deferred, defer } from '../base/index.ts'
import { type Doing, firstOf, NetlinkError } from './errors.ts'
import type { Request, Window } from './request.ts'
import { type Message, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, readAck, readDone } from './wire/index.ts'

/** What was sent and is not yet wholly answered. Fed with the answers one by one; pure but for its promise. */
export interface Exchange<T> {
  readonly window: Window
  readonly answer: Deferred<T>
  /** Takes a message whose sequence number is the window's; true when nothing more is to come. */
  take(message: Message): boolean
}

/** The words an exchange as a whole goes by, for failures of no single message. */
export function doingOf(requests: readonly Request[]): Doing {
  const [first] = requests as [Request]
  if (requests.length === 1) return first
  return { op: `${first.op} ${first.target ?? ''} and ${requests.length - 1} more`.replace('  ', ' ') }
}

/** Waits for the last message's ack. By then the kernel has been through all of them, in order. */
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
 * Requests in a frame (nfnetlink's NFNL_MSG_BATCH_BEGIN and END) that the kernel takes as a whole or not at all; what
 * it answers to them (NLM_F_ECHO) when it took them. Its acks come when all is decided, good messages of an aborted
 * batch included, in the requests' order; an error of the frame's beginning speaks for the whole
 * (net/netfilter/nfnetlink.c).
 */
export class Transaction<T> implements Exchange<T[]> {
  readonly window: Window
  readonly answer = defer<T[]>()
  readonly #read: (message: Message) => T
  readonly #answers: T[] = []
  readonly #failures: NetlinkError[] = []

  /** The last request but one, before the frame's end, is the one that asks for an ack. */
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

/** One question per message: what the kernel answers to it, or its refusal. */
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

/** A whole table, or `undefined` when it changed while the kernel was listing it (NLM_F_DUMP_INTR). */
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

/** Throws what failed, if anything did. */
export function throwFailures(failures: readonly NetlinkError[], tried: number): void {
  if (failures.length > 0) throw firstOf(failures, tried)
}

export function interruptedError(doing: Doing, tries: number): NetlinkError {
  return new NetlinkError({
    code: 'NETLINK_DUMP_INTERRUPTED',
    ...doing,
    reason: `it kept changing while the kernel listed it, ${tries} times in a row`,
    remedy: 'Try again when less is going on',
  })
}
