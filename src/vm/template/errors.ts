import { basename } from 'node:path'
import { messageOf, XclusterError } from '../../base/index.ts'
import { VmError } from '../errors.ts'

/** Not as it was written, or not written by us. */
export function damaged(directory: string, failure: unknown): VmError {
  return new VmError({
    code: 'TEMPLATE_DAMAGED',
    op: 'load template',
    target: shortKey(basename(directory)),
    reason: messageOf(failure),
    remedy: 'It is made again when it is needed',
    cause: failure,
  })
}

/** Keys are for machines; the first digits tell people which. */
export function shortKey(key: string): string {
  return key.slice(0, 12)
}

/** It could not be booted, or not be kept: a start without templates may still work. */
export function buildFailed(key: string, failure: unknown): unknown {
  if (failure instanceof XclusterError && failure.code === 'START_ABORTED') return failure
  return new VmError({
    code: 'TEMPLATE_FAILED',
    op: 'build template',
    target: shortKey(key),
    reason: failure instanceof XclusterError ? failure.message : messageOf(failure),
    remedy: 'A start without templates (--no-clone) may say more',
    cause: failure,
  })
}

export function unsupported(reason: string): VmError {
  return new VmError({
    code: 'TEMPLATE_UNSUPPORTED',
    kind: 'prerequisite',
    op: 'freeze',
    target: 'template',
    reason,
  })
}
