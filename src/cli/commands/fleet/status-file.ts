import { accessSync, constants, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf } from '../../../base/index.ts'
import type { Status } from '../../../client/index.ts'
import { CliError } from '../../errors.ts'

/** Throws STATUS_NOT_WRITTEN, before anything is started, for a place where no file can be put. */
export function mustBeWritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    const there = statSync(path, { throwIfNoEntry: false })
    if (there && !there.isFile())
      throw new Error('it is there, and no ordinary file, which alone is replaced')
  } catch (failure) {
    throw notWritten(path, failure)
  }
}

/** Writes the status of a lab to a file that appears whole, for `xc submit` to find. Throws STATUS_NOT_WRITTEN. */
export async function writeStatusFile(path: string, status: Status): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await writeFile(draft, `${JSON.stringify(status)}\n`, { mode: 0o600 })
    await rename(draft, path)
  } catch (failure) {
    await rm(draft, { force: true }).catch(() => {})
    throw notWritten(path, failure)
  }
}

function notWritten(target: string, cause: unknown): CliError {
  return new CliError({
    code: 'STATUS_NOT_WRITTEN',
    kind: 'usage',
    op: 'write the status to',
    target,
    reason: reasonOf(cause),
    remedy: 'Name a file in a directory that can be written: --status-file FILE',
    cause,
  })
}
