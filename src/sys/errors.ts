import { getSystemErrorName } from 'node:util'
import { type ErrorDetails, isSystemError, messageOf, shortageRemedy, XclusterError } from '../base/index.ts'

/** A system call that failed, or a part of this installation that is missing. */
export class SysError extends XclusterError {
  /** The errno, where a system call failed. */
  readonly errno: number | undefined
  /** The name of the errno: `EPERM`. */
  readonly errnoName: string | undefined
  /** The system call that failed: `setns`. */
  readonly syscall: string | undefined

  constructor(details: ErrorDetails & { errno?: number; syscall?: string }) {
    super(details)
    this.errno = details.errno
    this.errnoName = details.errno === undefined ? undefined : getSystemErrorName(-details.errno)
    this.syscall = details.syscall
  }
}

/** An error of the addon: `errno` is positive, and the message is the system's text. */
export interface SyscallFailure extends Error {
  readonly errno: number
  readonly syscall: string
}

export function isSyscallFailure(thrown: unknown): thrown is SyscallFailure {
  return thrown instanceof Error && !(thrown instanceof SysError) && 'errno' in thrown && 'syscall' in thrown
}

/** Calls into the addon or node:fs. A failed system call becomes a {@link SysError}. */
export function attempt<T>(op: string, target: string | undefined, call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    throw isSyscallFailure(thrown) ? refused(op, target, thrown) : thrown
  }
}

/** The {@link SysError} for a system call that has failed. */
export function refused(op: string, target: string | undefined, failure: SyscallFailure): SysError {
  const errno = Math.abs(failure.errno) // node:fs gives negative numbers
  const name = getSystemErrorName(-errno)
  const details = {
    op,
    ...(target !== undefined && { target }),
    errno,
    syscall: failure.syscall,
    cause: failure,
  }
  // Node writes `EINVAL: invalid argument, write '/a/path'` where strerror says `Invalid argument`.
  const words = messageOf(failure).replace(/^[A-Z0-9]+: (.*), \w+( '.*)?$/s, '$1')
  const reason = `${words} (${failure.syscall.split(' ')[0]}, ${name})`
  if (name === 'EPERM' || name === 'EACCES') {
    const remedy = process.geteuid?.() === 0 ? {} : { remedy: 'Run as root' }
    return new SysError({ ...details, code: 'NOT_PERMITTED', kind: 'prerequisite', reason, ...remedy })
  }
  const remedy = shortageRemedy(name)
  return new SysError({
    ...details,
    code: 'SYSCALL_FAILED',
    reason,
    ...(remedy && { kind: 'prerequisite', remedy }),
  })
}

/** True when the machine has no more files, memory or processes for this user: the same in another way would fail too. */
export function isShortage(failure: unknown): boolean {
  if (!(failure instanceof SysError)) return isSystemError(failure, 'EMFILE', 'ENFILE', 'ENOMEM')
  return failure.code === 'LAUNCH_FAILED' || ['EMFILE', 'ENFILE', 'ENOMEM'].includes(failure.errnoName ?? '')
}

/** The error for the use of something after its `close()`. */
export function closed(what: string): SysError {
  return new SysError({ code: 'CLOSED', kind: 'usage', target: what, reason: 'already closed' })
}
