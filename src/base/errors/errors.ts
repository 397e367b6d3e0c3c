import { exhaustionRemedy } from './remedies.ts'

/**
 * What an error means to its caller: `failed`: something went wrong; `usage`: the caller asked for something
 * that is impossible; `missing`: the cluster or node does not exist; `prerequisite`: this machine lacks
 * something.
 */
export type ErrorKind = 'failed' | 'usage' | 'missing' | 'prerequisite'

export interface ErrorDetails {
  /** Stable and upper-case, with one row in docs/errors.md: `LINK_EXISTS`, `QEMU_MISSING`. */
  readonly code: string
  readonly kind?: ErrorKind
  /** What was being done, as a verb phrase: `create bridge`. */
  readonly op?: string
  /** What it was being done to: `xcbr0`, `vm-003`. */
  readonly target?: string
  /** Why it failed, in the words of the kernel, QEMU or other program that refused, where it gave any. */
  readonly reason: string
  /** What you can do about it, as a sentence without its full stop. */
  readonly remedy?: string
  readonly cause?: unknown
}

/** The root of all errors thrown here. Each floor has one subclass; `code` says which failure it is. */
export class XclusterError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly op: string | undefined
  readonly target: string | undefined
  readonly reason: string
  readonly remedy: string | undefined

  constructor(given: ErrorDetails) {
    const exhausted = exhaustionRemedy(given.cause)
    const details = exhausted ? { kind: 'prerequisite' as const, ...given, remedy: exhausted } : given
    super(sentence(details), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = details.code
    this.kind = details.kind ?? 'failed'
    this.op = details.op
    this.target = details.target
    this.reason = details.reason
    this.remedy = details.remedy
  }
}

/** `create bridge xcbr0: File exists. Stop the cluster that owns it.` */
function sentence({ op, target, reason, remedy }: ErrorDetails): string {
  const doing = [op, target].filter(Boolean).join(' ')
  const what = doing ? `${doing}: ${reason}` : reason
  return remedy ? `${what.replace(/\.$/, '')}. ${remedy}.` : what
}

/**
 * The first failure. When the disposal after it fails too, `using` throws a SuppressedError that holds both (ECMA-262,
 * explicit resource management); its own message describes neither.
 */
export function firstFailure(thrown: unknown): unknown {
  let first = thrown
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first)
    first = first.suppressed
  return first
}

/** The code of an {@link XclusterError}; of the first failure when the disposal after it failed too. */
export function codeOf(thrown: unknown): string | undefined {
  const first = firstFailure(thrown)
  return first instanceof XclusterError ? first.code : undefined
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  const first = firstFailure(thrown)
  return first instanceof Error ? first.message : String(first)
}

/** True for a Node system error with one of these codes (`ENOENT`, …). */
export function isSystemError(thrown: unknown, ...codes: string[]): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && codes.includes((thrown as NodeJS.ErrnoException).code ?? '')
}
