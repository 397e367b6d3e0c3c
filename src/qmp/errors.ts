import { type ErrorDetails, XclusterError } from '../base/index.ts'

/**
 * What became of a command that brought no result: `failed` the other side refused it, nothing was done;
 * `unsent` it never left; `unknown` it left and nobody answered: it may still take effect, or have done so.
 */
export type Outcome = 'failed' | 'unsent' | 'unknown'

export interface QmpErrorDetails extends ErrorDetails {
  readonly command?: string
  readonly outcome?: Outcome
  readonly errorClass?: string
}

/** Whatever goes wrong with a QEMU monitor or a guest agent. */
export class QmpError extends XclusterError {
  /** The command this is about, if it is about one. */
  readonly command: string | undefined
  readonly outcome: Outcome
  /** QEMU's own class of a refusal: `GenericError`, `CommandNotFound`, `DeviceNotFound`, … */
  readonly errorClass: string | undefined

  constructor(details: QmpErrorDetails) {
    const { command } = details
    super(command === undefined ? details : { op: `run ${command} on`, ...details })
    this.command = command
    this.outcome = details.outcome ?? 'failed'
    this.errorClass = details.errorClass
  }
}

/** `peer` is gone for the `reason`; what was asked of it and not answered is rejected with one of these. */
export function closedError(peer: string, reason: string, cause?: unknown): QmpError {
  return new QmpError({ code: 'QMP_CLOSED', op: 'talk to', target: peer, reason, cause })
}

/** The same end, told to the one who waits for `command`. */
export function lostError(end: QmpError, command: string, outcome: Outcome): QmpError {
  const { code, target = '', reason } = end
  return new QmpError({ code, target, reason, command, outcome, cause: end })
}
