import { type ErrorDetails, XclusterError } from '../base/index.ts'

/**
 * The fate of a command without a result. `failed`: the peer refused it and did nothing. `unsent`: it was
 * never sent. `unknown`: it was sent and not answered, so it may have taken effect, or may still do so.
 */
export type Outcome = 'failed' | 'unsent' | 'unknown'

export interface QmpErrorDetails extends ErrorDetails {
  readonly command?: string
  readonly outcome?: Outcome
  readonly errorClass?: string
}

/** A failure of a QEMU monitor or a guest agent. */
export class QmpError extends XclusterError {
  /** The command that failed, if it was one. */
  readonly command: string | undefined
  readonly outcome: Outcome
  /** QEMU's class of the refusal: `GenericError`, `CommandNotFound`, `DeviceNotFound`, … */
  readonly errorClass: string | undefined

  constructor(details: QmpErrorDetails) {
    const { command } = details
    super(command === undefined ? details : { op: `run ${command} on`, ...details })
    this.command = command
    this.outcome = details.outcome ?? 'failed'
    this.errorClass = details.errorClass
  }
}

/**
 * The connection to `peer` has ended for `reason`. Commands without an answer are rejected with an error made
 * from this one.
 */
export function closedError(peer: string, reason: string, cause?: unknown): QmpError {
  return new QmpError({ code: 'QMP_CLOSED', op: 'talk to', target: peer, reason, cause })
}

/** The same end, as the error of `command`. */
export function lostError(end: QmpError, command: string, outcome: Outcome): QmpError {
  const { code, target = '', reason, remedy } = end
  const todo = remedy === undefined ? {} : { remedy }
  return new QmpError({ code, target, reason, command, outcome, ...todo, cause: end })
}

/** A caller's signal aborted a command, or a wait. `sent`: it may have taken effect, or may still do so. */
export function abortedError(
  what: { readonly command?: string; readonly op?: string; readonly target: string },
  cause: unknown,
  sent = false,
): QmpError {
  const reason = sent ? 'its caller aborted it after it was sent' : 'its caller aborted it'
  const outcome = sent ? 'unknown' : 'unsent'
  return new QmpError({ code: 'QMP_ABORTED', ...what, reason, outcome, cause })
}

/** A guest's agent sends no events: what nothing has asked for is a mistake, or an attack on this process. */
export function floodError(target: string): QmpError {
  const reason = 'it sent much that nothing had asked for, so its port has been closed'
  const remedy = 'Look at what uses the port of qemu-ga in the guest, and reset the node to open it again'
  return new QmpError({ code: 'AGENT_FLOOD', op: 'talk to', target, reason, remedy })
}
