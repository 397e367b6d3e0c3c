import { isSystemError, messageOf, reasonOf, XclusterError } from '../../base/index.ts'
import { VmError } from '../errors.ts'

export function badName(target: string): VmError {
  return new VmError({
    code: 'SNAPSHOT_NAME',
    kind: 'usage',
    op: 'use snapshot',
    target,
    reason: 'that is not a valid name for a snapshot',
    remedy: "Use up to 32 letters, digits, '-', '_' and '.', beginning with a letter or digit",
  })
}

export function taken(target: string, reason = 'there is one of that name'): VmError {
  const remedy = 'Use another name, or remove that one first'
  return new VmError({ code: 'SNAPSHOT_TAKEN', kind: 'usage', op: 'make snapshot', target, reason, remedy })
}

export function missing(target: string, has: readonly string[]): VmError {
  const remedy = has.length > 0 ? `There are: ${has.join(', ')}` : 'There are none yet'
  const reason = 'there is none of that name'
  return new VmError({
    code: 'SNAPSHOT_MISSING',
    kind: 'missing',
    op: 'use snapshot',
    target,
    reason,
    remedy,
  })
}

/** A byte of it is not as it was written. */
export function damaged(target: string, cause: unknown): VmError {
  return new VmError({
    code: 'SNAPSHOT_DAMAGED',
    op: 'open snapshot',
    target,
    reason: messageOf(cause),
    remedy: 'Remove it, and freeze a cluster again',
    cause,
  })
}

/** It cannot be resumed here. */
export function foreign(target: string, why: string): VmError {
  return new VmError({
    code: 'SNAPSHOT_FOREIGN',
    kind: 'prerequisite',
    op: 'open snapshot',
    target,
    reason: `${why}. A saved cluster goes on only where all of that is the same`,
    remedy: 'Freeze a cluster of this machine',
  })
}

/** Errors that say what they are about stay as they are. Others come from the disk, mostly a full one. */
export function notSaved(target: string, cause: unknown): unknown {
  if (cause instanceof XclusterError) return cause
  const full = isSystemError(cause, 'ENOSPC', 'EDQUOT')
  return new VmError({
    code: 'SNAPSHOT_FAILED',
    op: 'save snapshot',
    target,
    reason: reasonOf(cause),
    remedy: full ? 'Make room: remove snapshots or other files' : 'Nothing of it was kept. Try again',
    cause,
  })
}
