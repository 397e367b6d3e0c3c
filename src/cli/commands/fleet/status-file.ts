import { rename, rm, writeFile } from 'node:fs/promises'
import { systemFailure } from '../../../base/index.ts'
import type { Status } from '../../../client/index.ts'

/** Writes the status of a lab to a file that appears whole, for `xc submit` to find. */
export async function writeStatusFile(path: string, status: Status): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await writeFile(draft, `${JSON.stringify(status)}\n`, { mode: 0o600 })
    await rename(draft, path)
  } catch (failure) {
    await rm(draft, { force: true }).catch(() => {})
    throw systemFailure(failure) ?? failure
  }
}
