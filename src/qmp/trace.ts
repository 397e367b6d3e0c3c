import { type Trace, traceOf } from '../base/index.ts'
import type { QmpError } from './errors.ts'
import type { Message, Reply } from './wire.ts'
import { withoutSecrets } from './without-secrets.ts'

/** A message of a monitor's or a guest agent's, without the secrets in it. */
export interface QmpTraceValue {
  /** Absent in a command that flies alone and in its reply, in events and in the greeting. */
  readonly id?: number
  readonly arguments?: unknown
  /** How many file descriptors went with it. */
  readonly descriptors?: number
  /** Past all other commands. */
  readonly outOfBand?: true
  readonly return?: unknown
  readonly error?: { readonly class?: string; readonly reason: string }
  /** Of an event. */
  readonly data?: unknown
  /** Of QEMU's greeting. */
  readonly greeting?: unknown
}

/** A command as it leaves. */
export interface SentCommand {
  readonly command: string
  readonly args?: object | undefined
  readonly id?: number | undefined
  readonly fds?: readonly number[] | undefined
  readonly oob?: boolean
}

/** What a reply answers. */
export interface AnsweredCommand {
  readonly command: string
  /** Absent when it was sent before anything listened. */
  readonly ms?: number
}

const trace: Trace<QmpTraceValue> = traceOf('qmp')

/** Tells of the messages to and from one monitor or agent: `vm-001 monitor`. */
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
    const what = answered?.command ?? 'reply to nothing that was asked'
    const took = answered?.ms === undefined ? {} : { ms: answered.ms }
    trace.tell({ direction: 'received', peer: this.#peer, what, ...took, value })
  }

  /** Everything that is no reply. */
  heard(message: Message): void {
    if (message.kind === 'event') this.#received(message.event.event, { data: message.event.data })
    else if (message.kind === 'greeting') this.#received('greeting', { greeting: message.greeting })
    else this.replied(message, undefined)
  }

  /** A line that is no message. */
  garbled({ reason }: QmpError): void {
    this.#received('garbled', { error: { reason } })
  }

  /** No answer came in time. */
  expired(command: string, ms: number): void {
    trace.tell({
      direction: 'noted',
      peer: this.#peer,
      what: `no answer in time to ${command}`,
      ms,
      value: {},
    })
  }

  closed(reason: QmpError): void {
    const value = { error: { reason: reason.reason } }
    trace.tell({ direction: 'noted', peer: this.#peer, what: 'closed', value })
  }

  #received(what: string, value: QmpTraceValue): void {
    trace.tell({ direction: 'received', peer: this.#peer, what, value })
  }
}
