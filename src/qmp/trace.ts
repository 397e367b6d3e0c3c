import { type Trace, traceOf } from '../base/index.ts'
import type { QmpError } from './errors.ts'
import type { Message, Reply } from './wire.ts'
import { withoutSecrets } from './without-secrets.ts'

/** A message to or from a monitor or a guest agent, without its secrets. */
export interface QmpTraceValue {
  /** Absent in a command that is the only pending one and in its reply, in events and in the greeting. */
  readonly id?: number
  readonly arguments?: unknown
  /** How many file descriptors were sent with it. */
  readonly descriptors?: number
  /** Executed out of band, ahead of queued commands. */
  readonly outOfBand?: true
  readonly return?: unknown
  readonly error?: { readonly class?: string; readonly reason: string }
  /** The data of an event. */
  readonly data?: unknown
  /** The content of QEMU's greeting. */
  readonly greeting?: unknown
}

/** A command that is sent. */
export interface SentCommand {
  readonly command: string
  readonly args?: object | undefined
  readonly id?: number | undefined
  readonly fds?: readonly number[] | undefined
  readonly oob?: boolean
}

/** The command that a reply belongs to. */
export interface AnsweredCommand {
  readonly command: string
  /** Milliseconds since it was sent. Absent when tracing was off at that time. */
  readonly ms?: number
}

const trace: Trace<QmpTraceValue> = traceOf('qmp')

/** Traces the messages to and from one monitor or agent, such as `vm-001 monitor`. */
export class SessionTrace {
  readonly #peer: string

  constructor(peer: string) {
    this.#peer = peer
  }

  get on(): boolean {
    return trace.on
  }

  sent({ command, args, id, fds = [], oob }: SentCommand): void {
    const value = {
      ...(id !== undefined && { id }),
      ...(args && { arguments: withoutSecrets(args) }),
      ...(fds.length > 0 && { descriptors: fds.length }),
      ...(oob && { outOfBand: true as const }),
    }
    trace.tell({ direction: 'sent', peer: this.#peer, what: command, value })
  }

  replied(reply: Reply, answered: AnsweredCommand | undefined): void {
    const id = typeof reply.id === 'number' ? { id: reply.id } : {}
    const value =
      reply.kind === 'value'
        ? { ...id, return: withoutSecrets(reply.value) }
        : { ...id, error: { class: reply.errorClass, reason: reply.reason } }
    const what = answered?.command ?? 'reply without a command'
    const took = answered?.ms === undefined ? {} : { ms: answered.ms }
    trace.tell({ direction: 'received', peer: this.#peer, what, ...took, value })
  }

  /** A message that answers no pending command. */
  heard(message: Message): void {
    if (message.kind === 'event') this.#received(message.event.type, { data: message.event.data })
    else if (message.kind === 'greeting') this.#received('greeting', { greeting: message.greeting })
    else this.replied(message, undefined)
  }

  /** A line that cannot be parsed as a message. */
  garbled({ reason }: QmpError): void {
    this.#received('garbled', { error: { reason } })
  }

  /** A command whose reply did not come in time. */
  expired(command: string, ms: number): void {
    trace.tell({
      direction: 'noted',
      peer: this.#peer,
      what: `no answer in time to ${command}`,
      ms,
      value: {},
    })
  }

  /** A command that its caller no longer waits for. */
  aborted(command: string): void {
    trace.tell({ direction: 'noted', peer: this.#peer, what: `aborted ${command}`, value: {} })
  }

  closed(reason: QmpError): void {
    const value = { error: { reason: reason.reason } }
    trace.tell({ direction: 'noted', peer: this.#peer, what: 'closed', value })
  }

  #received(what: string, value: QmpTraceValue): void {
    trace.tell({ direction: 'received', peer: this.#peer, what, value })
  }
}
