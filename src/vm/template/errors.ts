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
function shortKey(key: string): string {
  return key.slice(0, 12)
}

/** What the VM and the system say of themselves needs no words of ours; what is left is mostly a full disk. */
export function buildFailed(key: string, failure: unknown): unknown {
  if (failure instanceof XclusterError) return failure
  return new VmError({
    code: 'TEMPLATE_FAILED',
    op: 'make template',
    target: shortKey(key),
    reason: messageOf(failure),
    remedy: 'VMs can be started without templates (--no-clone)',
    cause: failure,
  })
}

/** This QEMU cannot do it: feature checks, not version numbers, say so. */
export function unsupported(reason: string): VmError {
  return new VmError({
    code: 'TEMPLATE_UNSUPPORTED',
    kind: 'prerequisite',
    op: 'freeze',
    target: 'template',
    reason,
  })
}
