import { randomUUID } from 'node:crypto'
import { access, constants, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Clock, durationText, printable, reasonOf, Scope, systemClock } from '../../base/index.ts'
import { startAborted, VmError } from '../errors.ts'
import { startMachine } from '../machine/start.ts'
import type { BootDisk, Qemu } from '../shape.ts'
import type { VmSpec } from '../types.ts'
import { createQcow2, openImageTool, runJob } from './image-tool.ts'
import { openLayer } from './layer.ts'
import { diskNodes } from './nodes.ts'

export interface NewImageOptions {
  readonly qemu: Qemu
  /** Bytes of its disk: as many as that of the VM. */
  readonly size: number
  /** Where the new image is when it is whole. One that is there is replaced. */
  readonly path: string
  /** The line on the guest's console by which it says that it has done its work. */
  readonly done: string
  /** Milliseconds that the guest may take. */
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock
}

type DiskVm = VmSpec & { readonly bootDisk: BootDisk }

/**
 * Boots a VM that changes its disk and powers off, and writes what the disk is then to a new qcow2 image, which stands
 * alone. The VM's own image is not changed. Throws DISK_NOT_MADE with the guest's or this machine's reason, and leaves
 * nothing behind then.
 */
export async function makeDiskImage(spec: DiskVm, options: NewImageOptions): Promise<void> {
  const { path, clock = systemClock } = options
  const folder = dirname(path)
  await access(folder, constants.W_OK).catch(failure => {
    throw notMade(path, `${folder}: ${reasonOf(failure)}`, failure)
  })
  await using scope = new Scope()
  const layer = scope.add(await openLayer(folder, spec.bootDisk.emptyLayer, spec.name))
  await letWork(spec, layer, { ...options, clock })
  const draft = join(folder, `.${basename(path)}-${randomUUID()}`)
  try {
    await using file = await open(draft, 'wx+')
    scope.defer(() => rm(draft, { force: true }))
    await copyDisk(spec, { layer, file }, { ...options, clock })
    await file.sync()
    await rename(draft, path)
  } catch (failure) {
    if (options.signal?.aborted) throw startAborted(spec.name, options.signal.reason)
    throw notMade(path, reasonOf(failure), failure)
  }
}

type Working = NewImageOptions & { readonly clock: Clock }

/** Boots the VM and waits until it has powered off. */
async function letWork(spec: DiskVm, layer: FileHandle, options: Working): Promise<void> {
  const { path, done, limitMs, signal, clock } = options
  const start = { clock, ...(signal && { signal }) }
  await using machine = await startMachine({ ...spec, readyWith: 'running' }, { role: 'boot', layer }, start)
  let late = false
  const cancelLimit = clock.after(limitMs, () => {
    late = true
    void machine.kill()
  })
  const cancel = () => void machine.kill() // the machine itself watches the signal until the guest executes
  signal?.addEventListener('abort', cancel)
  if (signal?.aborted) cancel()
  const failure = await machine.died
  cancelLimit()
  signal?.removeEventListener('abort', cancel)
  if (signal?.aborted) throw startAborted(spec.name, signal.reason)
  const lines = machine.console.lastLines(100).split('\n')
  if (lines.includes(done)) return
  const said = lines.findLast(line => line.startsWith('xcluster: '))?.slice('xcluster: '.length)
  if (late) throw notMade(path, `the guest took longer than ${durationText(limitMs)}`)
  if (!(failure instanceof VmError) || failure.code !== 'GUEST_ENDED' || said === undefined)
    throw failure ?? notMade(path, 'the guest was stopped')
  throw notMade(path, printable(said, 300))
}

interface Copying {
  readonly layer: FileHandle
  readonly file: FileHandle
}

/** Copies the disk, with what the VM has written, except for what is zero. */
async function copyDisk(
  { bootDisk: { files }, identity }: DiskVm,
  { layer, file }: Copying,
  { qemu, size, signal, clock }: Working,
): Promise<void> {
  const { sources, nodes } = diskNodes({ files }, { kept: true, layer: false })
  await using scope = new Scope()
  const fds: number[] = []
  for (const source of sources) {
    const name = typeof source === 'string' ? `/proc/self/fd/${layer.fd}` : source.path
    fds.push(scope.add(await open(name)).fd)
  }
  const { qmp, quit } = await openImageTool({ qemu, identity, clock, fds: [...fds, file.fd] }, scope)
  for (const node of nodes) await qmp.execute('blockdev-add', node)
  await createQcow2(qmp, { size, filename: `/dev/fdset/${fds.length + 1}` })
  const holes = { 'detect-zeroes': 'unmap', discard: 'unmap' } as const
  await qmp.execute('blockdev-add', { 'node-name': 'new', driver: 'qcow2', file: 'file', ...holes })
  await runJob(qmp, { signal }, id =>
    qmp.execute('blockdev-backup', {
      ...{ 'job-id': id, device: 'kept', target: 'new', sync: 'full', 'auto-dismiss': false },
    }),
  )
  await quit()
}

function notMade(target: string, reason: string, cause?: unknown): VmError {
  return new VmError({ code: 'DISK_NOT_MADE', op: 'make disk image', target, reason, cause })
}
