import { randomUUID } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, reasonOf } from '../../base/index.ts'
import { VmError } from '../errors.ts'
import { writeAt } from '../snapshot/checked-file.ts'
import { copyNonZero } from '../snapshot/extents.ts'

/** open(2) for a file without a name. Node has no constant for it. */
const O_RDWR = 2
const O_TMPFILE = 0o20_200_000

/** What a layer begins with: the bytes of a qcow2 image, or a file that has them. */
export type LayerContent = Uint8Array | { readonly fd: number }

/**
 * A file without a name on the file system of this directory, filled with `content`, at its beginning. The kernel frees
 * its room when the last process that has it open ends, however that ends.
 */
export async function openLayer(directory: string, content: LayerContent, name: string): Promise<FileHandle> {
  try {
    const file = await nameless(directory)
    try {
      await fill(file, content)
      return file
    } catch (failure) {
      await file.close()
      throw failure
    }
  } catch (failure) {
    throw new VmError({
      code: 'DISK_LAYER',
      kind: 'prerequisite',
      op: 'make the layer of its disk in',
      target: `${directory} for ${name}`,
      reason: reasonOf(failure),
      remedy: 'Free some space there, or use another directory (XDG_STATE_HOME)',
      cause: failure,
    })
  }
}

async function fill(file: FileHandle, content: LayerContent): Promise<void> {
  if (content instanceof Uint8Array) return writeAt(file.fd, content, 0)
  const { size } = fstatSync(content.fd)
  await file.truncate(size)
  await copyNonZero(content.fd, file.fd, size)
}

async function nameless(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, O_TMPFILE | O_RDWR, 0o600)
  } catch (failure) {
    // Some file systems have no such files, as NFS and FUSE.
    if (!isSystemError(failure, 'EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL')) throw failure
    const path = join(directory, `.layer-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  }
}
