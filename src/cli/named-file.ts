import { isSystemError, reasonOf } from '../base/index.ts'
import { CliError } from './errors.ts'

/** Makes system errors about the named file errors of the user, not internal ones. */
export async function onFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    if (!isSystemError(failure, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC'))
      throw failure
    const kind = isSystemError(failure, 'ENOENT', 'ENOTDIR', 'EISDIR') ? 'usage' : 'failed'
    throw new CliError({
      code: 'CACHE_FILE',
      kind,
      op: 'use file',
      target: file,
      reason: reasonOf(failure),
      cause: failure,
    })
  }
}
