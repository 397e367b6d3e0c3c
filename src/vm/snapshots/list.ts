import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, messageOf, XclusterError } from '../../base/index.ts'
import { missing } from './errors.ts'
import { filesOf, manifestName, type SnapshotManifest, whyUnusable } from './manifest.ts'
import { clearRemains, directoryOf, draftOf, isThere, namesIn, readSnapshot, withName } from './places.ts'

/** A snapshot on the disk, described for users. */
export interface ListedSnapshot {
  readonly name: string
  /** Size on the disk. */
  readonly bytes: number
  /** Absent when it is damaged. */
  readonly manifest?: SnapshotManifest
  /** Why no cluster can be forked from it, as half a sentence. Its memory is checked only when it is opened. */
  readonly unusable?: string
}

/** All snapshots, by name. */
export async function listSnapshots(root: string): Promise<ListedSnapshot[]> {
  await clearRemains(root)
  const found = await Promise.all((await namesIn(root)).map(name => describe(root, name)))
  return found.filter(snapshot => snapshot !== undefined)
}

/** Removes a snapshot. Forks that run have their own copy in memory. Throws SNAPSHOT_NAME and SNAPSHOT_MISSING. */
export async function removeSnapshot(root: string, name: string): Promise<void> {
  const directory = directoryOf(root, name)
  await clearRemains(root)
  if (!(await isThere(directory))) throw missing(name, await namesIn(root))
  const gone = draftOf(root, name)
  await withName(root, name, async () => {
    await rename(directory, gone).catch(failure => {
      if (!isSystemError(failure, 'ENOENT')) throw failure // another process was first
    })
    await rm(gone, { recursive: true, force: true })
  })
}

async function describe(root: string, name: string): Promise<ListedSnapshot | undefined> {
  try {
    const manifest = await readSnapshot(root, name)
    const { bytes, lacking } = await measure(directoryOf(root, name), manifest)
    const unusable = lacking ?? (await whyUnusable(manifest))
    return { name, bytes, manifest, ...(unusable !== undefined && { unusable }) }
  } catch (failure) {
    if (!(failure instanceof XclusterError)) throw failure
    if (failure.code === 'SNAPSHOT_MISSING') return undefined // it was removed meanwhile
    return { name, bytes: 0, unusable: messageOf(failure.cause ?? failure) }
  }
}

/** What its files take on the disk, and whether one is missing or has another length. */
async function measure(
  directory: string,
  { vms }: SnapshotManifest,
): Promise<{ readonly bytes: number; readonly lacking: string | undefined }> {
  const expected = vms.flatMap(vm => {
    const { ram, state } = filesOf(vm)
    return [[ram, vm.ram.bytes] as const, [state, vm.state.bytes] as const]
  })
  let bytes = 0
  let lacking: string | undefined
  for (const [name, size] of [...expected, [manifestName, undefined] as const]) {
    const found = await stat(join(directory, name)).catch(() => undefined)
    bytes += (found?.blocks ?? 0) * 512
    if (!found) lacking ??= `it has no file ${name}`
    else if (size !== undefined && found.size !== size)
      lacking ??= `${name}: it has ${found.size} bytes, and ${size} were written`
  }
  return { bytes, lacking }
}
