import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { reasonOf, type Scope } from '../../base/index.ts'
import { type Identity, isShortage, qemuPreloadPath } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { VmSpec } from '../types.ts'

/**
 * Opens kernel and initramfs, for QEMU to inherit. QEMU opens them again as `/proc/self/fd/N`: that needs no
 * permission for the directories above, which may be private, but it needs read permission for the files.
 */
export async function openBootFiles(
  spec: VmSpec,
  scope: Scope,
): Promise<{ kernel: number[]; initramfs: number[] }> {
  const opened = async (path: string | undefined) =>
    path === undefined ? [] : [(await openFor(spec, path, scope)).fd]
  return { kernel: await opened(spec.kernel), initramfs: await opened(spec.initramfs) }
}

/** The same for its disks, which a clone needs too. */
export async function openDisks(spec: VmSpec, scope: Scope): Promise<number[]> {
  const files = (spec.disks ?? []).map(({ path }) => openFor(spec, path, scope))
  return (await Promise.all(files)).map(({ fd }) => fd)
}

/**
 * What QEMU loads ahead of its C library (native/qemu/trim.c). Without it QEMU only starts more slowly: a user who may not
 * read it has none.
 */
export async function openPreload({ identity }: VmSpec, scope: Scope): Promise<number | undefined> {
  const file = await open(qemuPreloadPath(), constants.O_RDONLY)
  scope.defer(() => file.close())
  return !identity || mayRead(identity, await file.stat()) ? file.fd : undefined
}

async function openFor(spec: VmSpec, path: string, scope: Scope): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY).catch(failure => {
    if (isShortage(failure)) throw failure // the file is not at fault
    throw unreadable(spec, `${path}: ${reasonOf(failure)}`, failure)
  })
  scope.defer(() => file.close())
  const { mode, uid, gid } = await file.stat()
  if (spec.identity && !mayRead(spec.identity, { mode, uid, gid })) {
    const user = `uid ${spec.identity.uid}, the user of QEMU`
    throw unreadable(
      spec,
      `${path} cannot be read by ${user} (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
    )
  }
  return file
}

/** True when the kernel lets a process without capabilities open the file for reading. */
export function mayRead(
  identity: Identity,
  file: { readonly mode: number; readonly uid: number; readonly gid: number },
): boolean {
  const groups = [identity.gid, ...(identity.groups ?? [])]
  const shift = identity.uid === file.uid ? 6 : groups.includes(file.gid) ? 3 : 0
  return ((file.mode >> shift) & 4) !== 0
}

function unreadable(spec: VmSpec, reason: string, cause?: unknown): VmError {
  return new VmError({
    code: 'BOOT_FILE',
    kind: 'prerequisite',
    op: 'start',
    target: spec.name,
    reason,
    remedy: 'Make sure that kernel, initramfs and disks exist and are readable by others (chmod o+r)',
    cause,
  })
}
