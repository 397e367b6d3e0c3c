import type { Clock, Scope } from '../../base/index.ts'
import { connectQmp, type QmpClient } from '../../qmp/index.ts'
import { adoptStream, closeFd, type Identity, launch, socketPair } from '../../sys/index.ts'
import { sandboxArgs } from '../qemu/qemu-args.ts'
import type { Qemu } from '../shape.ts'

/** What a QEMU without a machine works with. */
export interface ImageToolSpec {
  readonly qemu: Qemu
  /** The user of QEMU. */
  readonly identity?: Identity | undefined
  /** Open files: QEMU knows them as `/dev/fdset/1`, 2, … */
  readonly fds: readonly number[]
  readonly clock: Clock
}

/** A QEMU without a machine: what reads and writes disk images. */
export interface ImageTool {
  readonly qmp: QmpClient
  /** Ends it. What it has written is in its files then. */
  quit(): Promise<void>
}

/** The monitor's descriptor in QEMU, and the first of the files. */
const [monitorFd, firstFd] = [3, 4]

/** Starts a QEMU that has no guest. The scope ends it. */
export async function openImageTool(spec: ImageToolSpec, scope: Scope): Promise<ImageTool> {
  const [near, theirs] = socketPair()
  const launched = launchTool(spec, theirs)
  scope.defer(async () => {
    launched.kill('SIGKILL')
    await launched.exited
  })
  closeFd(theirs)
  const peer = 'the QEMU for disk images'
  const qmp = scope.add(await connectQmp(adoptStream(near), { peer, clock: spec.clock }))
  const quit = async () => {
    await qmp.execute('quit')
    await launched.exited
  }
  return { qmp, quit }
}

function launchTool({ qemu, identity, fds }: ImageToolSpec, monitor: number) {
  const sets = fds.flatMap((_, index) => ['-add-fd', `fd=${firstFd + index},set=${index + 1}`])
  const form =
    qemu.monitor === 'object'
      ? ['-object', 'monitor-qmp,id=qmp,chardev=monitor']
      : ['-mon', 'chardev=monitor,mode=control']
  const bare = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'none']
  return launch({
    file: qemu.path,
    args: [...bare, ...sandboxArgs, '-chardev', `socket,id=monitor,fd=${monitorFd}`, ...form, ...sets],
    fds: [monitor, ...fds],
    ...(identity && { identity }),
  })
}

/** Makes an empty qcow2 image of `size` bytes in a file, which is the block node `file` then. */
export async function createQcow2(
  qmp: QmpClient,
  { size, filename }: { readonly size: number; readonly filename: string },
): Promise<void> {
  await qmp.execute('blockdev-add', { 'node-name': 'file', driver: 'file', filename, locking: 'off' })
  await runJob(qmp, { limitMs: 30_000 }, id =>
    qmp.execute('blockdev-create', { 'job-id': id, options: { driver: 'qcow2', file: 'file', size } }),
  )
}

interface JobOptions {
  readonly limitMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Waits for the end of the job that `begin` begins under this id. Throws QEMU's reason when it fails. */
export async function runJob(
  qmp: QmpClient,
  { limitMs, signal }: JobOptions,
  begin: (id: string) => Promise<unknown>,
): Promise<void> {
  const wait = { ...(limitMs !== undefined && { timeoutMs: limitMs }), ...(signal && { signal }) }
  const over = qmp.once('JOB_STATUS_CHANGE', ({ data }) => data.status === 'concluded', wait)
  over.catch(() => {}) // when it cannot begin, that is the reason
  await begin('job')
  await over
  const [job] = await qmp.execute('query-jobs')
  if (job?.error !== undefined) throw new Error(job.error)
  await qmp.execute('job-dismiss', { id: 'job' })
}
