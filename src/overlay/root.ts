import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, messageOf, reasonOf } from '../base/index.ts'
import {
  type ArchiveEntry,
  Cache,
  type CacheEntry,
  fingerprint,
  sha256Of,
  writeErofs,
} from '../image/index.ts'
import { readArchive } from './archive.ts'
import { OverlayError, rootUnusable } from './errors.ts'
import { checkRoot, type RootFacts } from './root-check.ts'
import { fingerprintFolder, readFolder } from './root-folder.ts'

/** Part of every key: incremented when the same root would give another disk. */
const format = 2

/** The disk's serial number, by which init knows it (guest/init). */
const serial = 'xcluster-root'
const diskName = 'root.erofs'

/** A root for guests that a user brought: a read-only disk that all of them share. */
export interface GuestRoot extends RootFacts {
  /** Where it is from. */
  readonly path: string
  /** Hash of its content. */
  readonly key: string
  /** EROFS, in the cache. */
  readonly disk: { readonly path: string; readonly serial: string }
}

/**
 * The disk of a root, a tar archive (plain or compressed) or a directory: from the cache when nothing of it has changed
 * (told by `stat` alone), otherwise made. Throws ROOTFS_UNUSABLE, and IMAGE_UNWRITTEN when the cache has no room.
 */
export async function openRoot(
  path: string,
  { cacheDir, notice }: { readonly cacheDir: string; readonly notice?: (text: string) => void },
): Promise<GuestRoot> {
  const cache = new Cache(join(cacheDir, 'roots'))
  const isFolder = statOf(path).isDirectory()
  const state = isFolder ? reading(path, () => fingerprintFolder(path)) : ''
  const request = JSON.stringify([format, path, state])
  const recalled = cache.recall(request)
  if (recalled) return rootOf(path, recalled)

  const inputs = isFolder ? {} : { [path]: fingerprint(path) }
  notice?.(`making a disk of the root ${path}`)
  const entries = await entriesOf(path, isFolder)
  const facts = checkRoot(entries, path)
  const image = asDisk(entries, path)
  const key = sha256Of(image).slice(0, 32)
  const entry = (await cache.find(key)) ?? (await cache.store(key, { [diskName]: image }, facts))
  await cache.remember(request, entry, inputs)
  return rootOf(path, entry)
}

function rootOf(path: string, { key, dir, facts }: CacheEntry): GuestRoot {
  return { ...(facts as RootFacts), path, key, disk: { path: join(dir, diskName), serial } }
}

function statOf(path: string) {
  const stat = reading(path, () => statSync(path))
  if (stat.isDirectory() || stat.isFile()) return stat
  throw rootUnusable(path, 'it is neither a file nor a directory')
}

async function entriesOf(path: string, isFolder: boolean): Promise<readonly ArchiveEntry[]> {
  if (isFolder) return reading(path, () => readFolder(path))
  const bytes = await readFile(path).catch(failure => {
    throw unreadable(path, failure)
  })
  return (await readArchive(bytes, path, { refuse: rootUnusable, whole: true })).entries
}

function asDisk(entries: readonly ArchiveEntry[], path: string): Uint8Array {
  try {
    return writeErofs(entries)
  } catch (failure) {
    throw rootUnusable(path, `it has no form that a disk can have: ${messageOf(failure)}`)
  }
}

function reading<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (failure) {
    throw failure instanceof OverlayError ? failure : unreadable(path, failure)
  }
}

function unreadable(path: string, failure: unknown): OverlayError {
  const remedy = isSystemError(failure, 'EACCES', 'EPERM')
    ? 'Make it readable for you, or give a tar archive of it that is'
    : 'Give a directory or a tar archive with a whole system'
  return rootUnusable(path, reasonOf(failure), { remedy, cause: failure })
}
