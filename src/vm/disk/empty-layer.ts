import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { type Clock, messageOf, reasonOf, Scope, systemClock, XclusterError } from '../../base/index.ts'
import { connectQmp, type QmpClient } from '../../qmp/index.ts'
import {
  adoptStream,
  closeFd,
  type Identity,
  isShortage,
  type Launched,
  launch,
  Memfd,
  socketPair,
} from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import { sandboxArgs } from '../qemu/qemu-args.ts'
import type { BootDisk, Qemu } from '../shape.ts'
import { diskNodes } from './nodes.ts'

export interface LayerOptions {
  readonly qemu: Qemu
  /** The user of QEMU. */
  readonly identity?: Identity | undefined
  /** Bytes of the disk. */
  readonly size: number
  readonly clock?: Clock
}

/** The monitor's descriptor in QEMU, and the first of the disk's. */
const [monitorFd, firstFd] = [3, 4]

/**
 * Lets a QEMU without a machine open a disk image, and make an empty layer for it: a qcow2 image, whose bytes this
 * returns. All VMs with that image begin with a copy. Throws DISK_REFUSED, with QEMU's words, for an image that it does
 * not read.
 */
export async function makeEmptyLayer(
  image: Pick<BootDisk, 'files'>,
  { qemu, identity, size, clock = systemClock }: LayerOptions,
): Promise<Uint8Array> {
  const target = image.files[0]!.path
  const { sources, nodes } = diskNodes(image, { layer: false })
  await using scope = new Scope()
  const memory = scope.add(new Memfd('xcluster-layer'))
  const files: number[] = []
  for (const source of sources) {
    if (typeof source === 'string') continue
    const file = await open(source.path).catch(failure => {
      if (isShortage(failure)) throw failure
      throw refused(target, `${source.path}: ${reasonOf(failure)}`, failure)
    })
    scope.defer(() => file.close())
    files.push(file.fd)
  }
  const [near, theirs] = socketPair()
  const launched = launchMaker({ qemu, identity, fds: [theirs, ...files, memory.fd] })
  scope.defer(async () => {
    launched.kill('SIGKILL')
    await launched.exited
  })
  closeFd(theirs)
  try {
    const qmp = scope.add(await connectQmp(adoptStream(near), { peer: 'the QEMU that makes layers', clock }))
    for (const node of nodes) await qmp.execute('blockdev-add', node)
    await make(qmp, { size, filename: `/dev/fdset/${files.length + 1}` })
  } catch (failure) {
    throw refused(target, failure instanceof XclusterError ? failure.reason : messageOf(failure), failure)
  }
  return readFileSync(`/proc/self/fd/${memory.fd}`)
}

function launchMaker(spec: { qemu: Qemu; identity: Identity | undefined; fds: readonly number[] }): Launched {
  const { qemu, identity, fds } = spec
  const sets = fds.slice(1).flatMap((_, index) => ['-add-fd', `fd=${firstFd + index},set=${index + 1}`])
  const form =
    qemu.monitor === 'object'
      ? ['-object', 'monitor-qmp,id=qmp,chardev=monitor']
      : ['-mon', 'chardev=monitor,mode=control']
  const bare = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'none']
  return launch({
    file: qemu.path,
    args: [...bare, ...sandboxArgs, '-chardev', `socket,id=monitor,fd=${monitorFd}`, ...form, ...sets],
    fds,
    ...(identity && { identity }),
  })
}

async function make(qmp: QmpClient, { size, filename }: { size: number; filename: string }): Promise<void> {
  await qmp.execute('blockdev-add', { 'node-name': 'file', driver: 'file', filename, locking: 'off' })
  const over = qmp.once('JOB_STATUS_CHANGE', ({ data }) => data.status === 'concluded', { timeoutMs: 30_000 })
  await qmp.execute('blockdev-create', { 'job-id': 'make', options: { driver: 'qcow2', file: 'file', size } })
  await over
  const [job] = await qmp.execute('query-jobs')
  if (job?.error !== undefined) throw new Error(job.error)
}

function refused(target: string, reason: string, cause: unknown): VmError {
  return new VmError({
    code: 'DISK_REFUSED',
    kind: 'usage',
    op: 'use disk image',
    target,
    reason,
    remedy: 'End the program that writes to it, if one does, or check it: qemu-img check FILE',
    cause,
  })
}
