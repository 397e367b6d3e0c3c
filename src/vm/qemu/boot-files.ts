import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { messageOf, type Scope } from '../../base/index.ts'
import type { Identity } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { VmSpec } from '../types.ts'

/**
 * Opens kernel and initramfs, to be passed on. QEMU opens them again by `/proc/self/fd/N`: that needs no right on
 * the directories above, which may be private to us, but it needs read permission on the file itself.
 */
export async function openBootFiles(
  spec: VmSpec,
  scope: Scope,
): Promise<[kernel: number, initramfs: number]> {
  const kernel = await openFor(spec, spec.kernel, scope)
  const initramfs = await openFor(spec, spec.initramfs, scope)
  return [kernel.fd, initramfs.fd]
}

async function openFor(spec: VmSpec, path: string, scope: Scope): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY).catch(failure => {
    throw unreadable(spec, messageOf(failure), failure)
  })
  scope.defer(() => file.close())
  const { mode, uid, gid } = await file.stat()
  if (spec.identity && !mayRead(spec.identity, { mode, uid, gid })) {
    const user = `uid ${spec.identity.uid}, as which QEMU runs`
    throw unreadable(spec, `${path} cannot be read by ${user} (mode ${(mode & 0o777).toString(8)})`)
  }
  return file
}

/** What the kernel will say to an `open` by somebody without capabilities. */
export function mayRead(
  who: Identity,
  file: { readonly mode: number; readonly uid: number; readonly gid: number },
): boolean {
  const groups = [who.gid, ...(who.groups ?? [])]
  const shift = who.uid === file.uid ? 6 : groups.includes(file.gid) ? 3 : 0
  return ((file.mode >> shift) & 4) !== 0
}

function unreadable(spec: VmSpec, reason: string, cause?: unknown): VmError {
  return new VmError({
    code: 'BOOT_FILE',
    kind: 'prerequisite',
    op: 'start',
    target: spec.name,
    reason,
    remedy: 'Kernel and initramfs must exist and be readable by others (chmod o+r)',
    cause,
  })
}
