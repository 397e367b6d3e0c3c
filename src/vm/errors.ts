import { XclusterError } from '../base/index.ts'

/** A VM that cannot start, has died, or did not do what was requested. */
export class VmError extends XclusterError {}

export function gone(target: string): VmError {
  return new VmError({ code: 'VM_GONE', op: 'use', target, reason: 'the VM was stopped' })
}

export function stoppedEarly(target: string): VmError {
  return new VmError({
    code: 'VM_GONE',
    op: 'start',
    target,
    reason: 'the VM was stopped before it was ready',
  })
}

export function notFreezable(target: string): VmError {
  return new VmError({
    code: 'VM_NOT_FREEZABLE',
    kind: 'usage',
    op: 'freeze',
    target,
    reason: 'it was started without memory that can be saved',
    remedy: 'Start it with `freezable: true`',
  })
}

export function startAborted(target: string, cause: unknown): VmError {
  return new VmError({ code: 'START_ABORTED', op: 'start', target, reason: 'the start was cancelled', cause })
}

export function noSuchNic(target: string, index: number, count: number): VmError {
  const reason = `NIC ${index} does not exist: the VM has ${count}, counted from 0`
  return new VmError({ code: 'NO_SUCH_NIC', kind: 'usage', op: 'set the link of', target, reason })
}
