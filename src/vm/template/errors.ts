import { basename } from 'node:path'
import { messageOf, settingText, XclusterError } from '../../base/index.ts'
import { VmError } from '../errors.ts'

/** The error for a template that is not as it was written, or was written by another program. */
export function damaged(directory: string, failure: unknown): VmError {
  return new VmError({
    code: 'TEMPLATE_DAMAGED',
    op: 'load template',
    target: shortKey(basename(directory)),
    reason: messageOf(failure),
    remedy: 'Start a cluster: the template is then made again',
    cause: failure,
  })
}

/** The error for an exported template that VMs on this machine would never use. */
export function foreign(path: string, why: string): VmError {
  return new VmError({
    code: 'TEMPLATE_FOREIGN',
    kind: 'prerequisite',
    op: 'import template',
    target: path,
    reason: `${why}. A saved VM runs only in the QEMU and on the CPU that it was saved with`,
    remedy: 'Start a cluster here: the template is then made on this machine',
  })
}

/** The first digits of a key, which are enough for people. */
function shortKey(key: string): string {
  return key.slice(0, 12)
}

/**
 * The error of a failed build. Errors of the VM and of the system are passed on unchanged; the others mostly
 * come from a full disk.
 */
export function buildFailed(key: string, failure: unknown): unknown {
  if (failure instanceof XclusterError) return failure
  return new VmError({
    code: 'TEMPLATE_FAILED',
    op: 'make template',
    target: shortKey(key),
    reason: messageOf(failure),
    remedy: `Start VMs without templates (${settingText('clone', 'off')})`,
    cause: failure,
  })
}

/** The error for a QEMU that lacks a feature. Features are checked, not version numbers. */
export function unsupported(reason: string): VmError {
  return new VmError({
    code: 'TEMPLATE_UNSUPPORTED',
    kind: 'prerequisite',
    op: 'freeze',
    target: 'template',
    reason,
  })
}
