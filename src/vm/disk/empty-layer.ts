import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { type Clock, messageOf, reasonOf, Scope, systemClock, XclusterError } from '../../base/index.ts'
import { type Identity, isShortage, Memfd } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { BootDisk, Qemu } from '../shape.ts'
import { createQcow2, openImageTool } from './image-tool.ts'
import { diskNodes } from './nodes.ts'

export interface LayerOptions {
  readonly qemu: Qemu
  /** The user of QEMU. */
  readonly identity?: Identity | undefined
  /** Bytes of the disk. */
  readonly size: number
  readonly clock?: Clock
}

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
  try {
    const { qmp } = await openImageTool({ qemu, identity, clock, fds: [...files, memory.fd] }, scope)
    for (const node of nodes) await qmp.execute('blockdev-add', node)
    await createQcow2(qmp, { size, filename: `/dev/fdset/${files.length + 1}` })
  } catch (failure) {
    throw refused(target, failure instanceof XclusterError ? failure.reason : messageOf(failure), failure)
  }
  return readFileSync(`/proc/self/fd/${memory.fd}`)
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
