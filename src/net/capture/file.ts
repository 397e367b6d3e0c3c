import { type FileHandle, open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { reasonOf } from '../../base/index.ts'
import { noCapture } from './source.ts'

/** What a capture is written to. */
export interface CaptureTarget {
  readonly stream: Writable
  /** It calls back when it needs a piece no longer, as files and sockets do. The memory is then used again. */
  readonly reuse?: boolean | undefined
  /** The path of a file. A capture waits until all of it is written; a stream's user does that. */
  readonly file?: string | undefined
  /** An ordinary file is removed when it cannot be completed, a device or a FIFO is not. */
  readonly remove?: boolean
}

/** Opens a new file, or empties one that is there. Throws NO_CAPTURE. */
export async function captureFile(file: string): Promise<CaptureTarget> {
  let handle: FileHandle
  try {
    handle = await open(file, 'w', 0o600)
  } catch (cause) {
    throw noCapture(file, reasonOf(cause), { cause })
  }
  const remove = (await handle.stat()).isFile()
  return { stream: handle.createWriteStream(), file, remove, reuse: true }
}
