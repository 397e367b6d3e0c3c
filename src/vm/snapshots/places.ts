import { lstat, readdir, readFile, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, namePattern } from '../../base/index.ts'
import { lockFile, makeDirectory } from '../../sys/index.ts'
import { emptyDraft, install, lockOf } from '../snapshot/store.ts'
import { badName, damaged, missing, notSaved, taken } from './errors.ts'
import { decodeSnapshot, manifestName, type SnapshotManifest } from './manifest.ts'

/** The directory of snapshots, below the state directory. No cluster can have its name, and so its logs there. */
export function snapshotsIn(stateDir: string): string {
  return join(stateDir, '.snapshots')
}

/** The directory of one. Throws SNAPSHOT_NAME. */
export function directoryOf(root: string, name: string): string {
  if (!namePattern.test(name)) throw badName(name)
  return join(root, name)
}

/** What of a snapshot is not ready, and its lock, are in files whose names begin with a dot: no snapshot's does. */
const hidden = (root: string, name: string) => join(root, `.${name}`)

/** The names of all that are there, sorted. */
export async function namesIn(root: string): Promise<string[]> {
  return (await entriesOf(root)).filter(name => namePattern.test(name)).sort()
}

/**
 * Lets `make` fill a directory, which becomes the snapshot when that has resolved: all of it or nothing, whenever this
 * process is killed. Throws SNAPSHOT_NAME, SNAPSHOT_TAKEN, and SNAPSHOT_FAILED when the disk refuses.
 */
export async function makeSnapshot<T>(
  root: string,
  name: string,
  make: (draft: string) => Promise<T>,
): Promise<T> {
  const directory = directoryOf(root, name)
  try {
    makeDirectory(root, 0o700)
    await clearRemains(root)
    return await withName(root, name, async () => {
      if (await isThere(directory)) throw taken(name)
      const draft = await emptyDraft(hidden(root, name))
      try {
        const result = await make(draft)
        await install(draft, directory)
        return result
      } catch (failure) {
        await rm(draft, { recursive: true, force: true })
        throw failure
      }
    })
  } catch (failure) {
    throw notSaved(name, failure)
  }
}

/** Runs `work` while no other process makes or removes the snapshot. */
export async function withName<T>(root: string, name: string, work: () => Promise<T>): Promise<T> {
  const path = lockOf(hidden(root, name))
  const lock = lockFile(path)
  if (!lock) throw taken(name, 'another process is making or removing it')
  try {
    return await work()
  } finally {
    await unlink(path).catch(() => {})
    await lock.close()
  }
}

/** The path for what is being removed or made. */
export function draftOf(root: string, name: string): string {
  return `${hidden(root, name)}.draft`
}

/** Removes what processes that were killed have left. */
export async function clearRemains(root: string): Promise<void> {
  const entries = await entriesOf(root)
  const names = entries.flatMap(entry => /^\.(.+)\.(?:draft|lock)$/.exec(entry)?.[1] ?? [])
  for (const name of new Set(names)) {
    const path = lockOf(hidden(root, name))
    const lock = lockFile(path)
    if (!lock) continue // it is being made
    await rm(draftOf(root, name), { recursive: true, force: true })
    await unlink(path).catch(() => {})
    await lock.close()
  }
}

/** What a snapshot says of itself. Throws SNAPSHOT_MISSING and SNAPSHOT_DAMAGED. */
export async function readSnapshot(root: string, name: string): Promise<SnapshotManifest> {
  const directory = directoryOf(root, name)
  if (!(await isThere(directory))) throw missing(name, await namesIn(root))
  return await readSnapshotIn(directory, name)
}

/** The same of one in any directory. */
export async function readSnapshotIn(directory: string, name: string): Promise<SnapshotManifest> {
  try {
    return decodeSnapshot(await readFile(join(directory, manifestName), 'utf8'))
  } catch (failure) {
    throw damaged(name, failure)
  }
}

export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    failure => {
      if (isSystemError(failure, 'ENOENT', 'ENOTDIR')) return false
      throw failure
    },
  )
}

async function entriesOf(root: string): Promise<string[]> {
  return await readdir(root).catch(failure => {
    if (isSystemError(failure, 'ENOENT')) return []
    throw failure
  })
}
