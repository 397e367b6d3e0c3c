import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf, type Scope } from '../../base/index.ts'
import { isShortage, sealedMemfd } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import { writeAt } from '../snapshot/checked-file.ts'
import type { VmSpec } from '../types.ts'
import { openLayer } from './layer.ts'
import { diskNodes } from './nodes.ts'

interface Layers {
  readonly kept?: { readonly fd: number } | undefined
  readonly layer?: { readonly fd: number } | undefined
}

/**
 * Opens what QEMU inherits for the disk that a VM starts from, and for its seed, in the order of its fd sets. The scope closes what this
 * opens, `kept` and `layer` stay open.
 */
export async function openBootDisk(
  { bootDisk, consoleLog, name, seed }: Pick<VmSpec, 'bootDisk' | 'consoleLog' | 'name' | 'seed'>,
  { kept, layer }: Layers,
  scope: Scope,
): Promise<number[]> {
  if (!bootDisk) return []
  const { sources } = diskNodes(bootDisk, { kept: kept !== undefined, seed: seed !== undefined })
  const own = layer ?? scope.add(await openLayer(dirname(consoleLog), bootDisk.emptyLayer, name))
  const fds: number[] = []
  for (const source of sources) {
    if (source === 'layer') fds.push(own.fd)
    else if (source === 'kept') fds.push(kept!.fd)
    else if (source === 'seed') fds.push((await openSeed(seed!, scope)).fd)
    else fds.push(scope.add(await openImage(source.path, name)).fd)
  }
  return fds
}

/** A memfd is open for writing too. QEMU asks for one that is open for reading alone. */
async function openSeed(seed: Uint8Array, scope: Scope) {
  const memory = scope.add(await sealedMemfd('xcluster-seed', fd => writeAt(fd, seed, 0)))
  return scope.add(await open(`/proc/self/fd/${memory.fd}`, constants.O_RDONLY))
}

function openImage(path: string, name: string) {
  return open(path, constants.O_RDONLY).catch(failure => {
    if (isShortage(failure)) throw failure
    throw new VmError({
      code: 'BOOT_FILE',
      kind: 'prerequisite',
      op: 'start',
      target: name,
      reason: `${path}: ${reasonOf(failure)}`,
      remedy: 'Put its disk image back where it was',
      cause: failure,
    })
  })
}
