import { readdir, readFile, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../../base/index.ts'
import { lockFile } from '../../sys/index.ts'
import { decodeManifest } from '../snapshot/manifest.ts'
import { fileNames, layerName, lockOf, templatesIn } from '../snapshot/store.ts'

/** A template in the cache, described for users. */
export interface CachedTemplate {
  readonly key: string
  /** Size on the disk. */
  readonly bytes: number
  /** When it was last cloned from, or made: milliseconds since 1970. */
  readonly usedAt: number
  /** Absent when the template is damaged. */
  readonly shape?: {
    readonly madeAt: number
    readonly memoryMiB: number
    readonly nicCount: number
    readonly image: string
    readonly qemu: string
  }
}

/** The templates in the cache, the least recently used first. */
export async function listTemplates(cacheDir: string): Promise<CachedTemplate[]> {
  const names = await readdir(templatesIn(cacheDir)).catch(failure => {
    if (isSystemError(failure, 'ENOENT')) return []
    throw failure
  })
  const keys = names.filter(name => /^[0-9a-f]{64}$/.test(name))
  const found = await Promise.all(keys.map(key => describe(cacheDir, key)))
  return found.filter(template => template !== undefined).sort((a, b) => a.usedAt - b.usedAt)
}

/**
 * Removes templates, and remains of builders that were killed. Returns the keys of the removed templates; one
 * that is being built stays. Running clusters have their own copy in memory.
 */
export async function removeTemplates(cacheDir: string, keys: readonly string[]): Promise<string[]> {
  const removed: string[] = []
  for (const key of keys) if (await remove(join(templatesIn(cacheDir), key))) removed.push(key)
  return removed
}

/**
 * Removes the least recently used templates until the rest takes at most `bytes`. `keep` stays. Returns the
 * keys of those removed.
 */
export async function trimTemplates(
  cacheDir: string,
  limit: { readonly bytes: number; readonly keep?: readonly string[] },
): Promise<string[]> {
  const templates = await listTemplates(cacheDir)
  let total = templates.reduce((sum, { bytes }) => sum + bytes, 0)
  const surplus: string[] = []
  for (const { key, bytes } of templates) {
    if (total <= limit.bytes) break
    if (limit.keep?.includes(key)) continue
    surplus.push(key)
    total -= bytes
  }
  return removeTemplates(cacheDir, surplus)
}

async function describe(cacheDir: string, key: string): Promise<CachedTemplate | undefined> {
  const directory = join(templatesIn(cacheDir), key)
  const files = await Promise.all(
    [...Object.values(fileNames), layerName].map(name => stat(join(directory, name)).catch(() => undefined)),
  )
  const own = await stat(directory).catch(() => undefined)
  if (!own) return undefined
  const [manifest] = files
  return {
    key,
    bytes: files.reduce((sum, file) => sum + (file?.size ?? 0), 0),
    usedAt: (manifest ?? own).mtimeMs,
    ...(await shapeOf(directory, key)),
  }
}

async function shapeOf(directory: string, key: string): Promise<Pick<CachedTemplate, 'shape'>> {
  try {
    const text = await readFile(join(directory, fileNames.manifest), 'utf8')
    const { facts, made: madeAt, memoryMiB, nicCount } = decodeManifest(text, key)
    return { shape: { madeAt, memoryMiB, nicCount, image: facts.image, qemu: facts.qemu.version } }
  } catch {
    return {}
  }
}

async function remove(directory: string): Promise<boolean> {
  if (!(await stat(directory).catch(() => undefined))) return false
  const lock = lockFile(lockOf(directory))
  if (!lock) return false
  try {
    // The manifest goes first: without it the rest is not taken for a template.
    await rm(join(directory, fileNames.manifest), { force: true })
    await rm(directory, { recursive: true, force: true })
    await rm(`${directory}.draft`, { recursive: true, force: true })
    return true
  } finally {
    await unlink(lock.path).catch(() => {})
    await lock.close()
  }
}
