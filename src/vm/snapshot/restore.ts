import { messageOf, XclusterError } from '../../base/index.ts'
import type { QmpClient } from '../../qmp/index.ts'
import { isShortage } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import { childFds } from '../qemu/child-fds.ts'
import type { Template } from '../shape.ts'
import type { VmSpec } from '../types.ts'
import { stateUri } from './transport.ts'

/** RAM in a file that both processes have is not part of the state. */
export const ignoreShared = { capability: 'x-ignore-shared', state: true } as const

/**
 * Gives a QEMU that waits (`-incoming defer`) the state of a template, and resolves when the guest executes. One that was
 * saved while it ran continues by itself; one that was paused waits for `cont`. The commands are sent together, with one
 * wait for all.
 */
export async function wake(
  qmp: QmpClient,
  { transport, isPaused = false }: Template,
  role: 'clone' | 'derived' = 'clone',
): Promise<void> {
  const capabilities = isPaused
    ? [ignoreShared, { capability: 'events', state: true } as const]
    : [ignoreShared]
  await Promise.all([
    isPaused ? qmp.once('MIGRATION', ({ data }) => data.status === 'completed') : qmp.once('RESUME'),
    qmp.execute('migrate-set-capabilities', { capabilities }),
    qmp.execute('migrate-incoming', { uri: stateUri(transport, childFds[role].state!) }),
  ])
}

/** Checks that the spec fits the template. QEMU would notice some differences, with less helpful errors. */
export function mustFit({ name, memoryMiB, nics, bootDisk }: VmSpec, template: Template): void {
  const differs =
    template.memoryMiB !== memoryMiB
      ? `the template has ${template.memoryMiB} MiB of memory, and this VM needs ${memoryMiB}`
      : template.nicCount !== nics.length
        ? `the template has ${template.nicCount} NICs, and this VM needs ${nics.length}`
        : (template.layer !== undefined) !== (bootDisk !== undefined)
          ? 'one of them has a disk that it starts from, and the other has none'
          : undefined
  if (differs === undefined) return
  throw new VmError({ code: 'TEMPLATE_MISMATCH', kind: 'usage', op: 'clone', target: name, reason: differs })
}

/** The error of a failed clone. A failure that a VM without template would have too is passed on unchanged. */
export function cloneFailed(name: string, failure: unknown): unknown {
  if (failure instanceof XclusterError && ['START_ABORTED', 'VM_GONE', 'CONSOLE_LOG'].includes(failure.code))
    return failure
  if (isShortage(failure)) return failure
  return new VmError({
    code: 'CLONE_FAILED',
    op: 'clone',
    target: name,
    reason: failure instanceof XclusterError ? failure.reason : messageOf(failure),
    remedy: 'Start it without a template',
    cause: failure,
  })
}
