import { readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isSystemError, settingText } from '../base/index.ts'
import { packageRoot } from '../sys/index.ts'
import { OverlayError } from './errors.ts'

/** An overlay: a directory with an executable `tar`, with a list of `packages`, or both; or an archive. */
export interface OverlaySource {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly kind: 'directory' | 'archive'
  /** Debian packages that it brings: the words of its file `packages`. */
  readonly packages: readonly string[]
}

export interface OverlaySearch {
  /** Directories with overlays, in this order: XCLUSTER_OVLPATH. Those of this package come last. */
  readonly paths: readonly string[]
  /** The directory that relative paths start from. */
  readonly from: string
}

/** The directories that are searched, in this order. */
function overlayPaths({ paths, from }: OverlaySearch): string[] {
  return [...paths.map(path => resolve(from, path)), `${packageRoot()}ovl`]
}

/**
 * The overlay of this name: the first one in the directories. A name with a slash is a path. Throws OVERLAY_MISSING, and
 * OVERLAY_UNUSABLE when it has no `tar`.
 */
export function findOverlay(name: string, search: OverlaySearch): OverlaySource {
  const places = name.includes('/')
    ? [resolve(search.from, name)]
    : overlayPaths(search).map(path => join(path, name))
  const found = places.map(path => sourceAt(name, path)).find(source => source !== undefined)
  if (found) return found
  throw new OverlayError({
    code: 'OVERLAY_MISSING',
    kind: 'usage',
    op: 'find overlay',
    target: name,
    reason: name.includes('/')
      ? `${places[0]} does not exist`
      : `none of ${overlayPaths(search).join(', ')} has it`,
    remedy: `Give its path, or add the directory that has it to ${settingText('ovlPath')}`,
  })
}

function sourceAt(name: string, path: string): OverlaySource | undefined {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (!kind) return undefined
  if (!kind.isDirectory()) return { name: basename(name), path, kind: 'archive', packages: [] }
  return { name: basename(name), path, kind: 'directory', packages: packagesOf(path) }
}

/** Lines may end with a comment. */
function packagesOf(directory: string): string[] {
  const file = join(directory, 'packages')
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap(line => line.replace(/#.*/, '').split(/\s+/)).filter(Boolean)
}

/** All overlays of the directories. One that an earlier directory has too is hidden by that. */
export async function listOverlays(search: OverlaySearch): Promise<OverlaySource[]> {
  const found = new Map<string, OverlaySource>()
  for (const path of overlayPaths(search)) {
    const names = await readdir(path).catch(failure => {
      if (isSystemError(failure, 'ENOENT', 'ENOTDIR')) return []
      throw failure
    })
    for (const name of names.sort()) {
      const source = isOverlay(join(path, name)) ? sourceAt(name, join(path, name)) : undefined
      if (source && !found.has(name)) found.set(name, source)
    }
  }
  return [...found.values()]
}

function isOverlay(directory: string): boolean {
  return ['tar', 'packages'].some(name =>
    statSync(join(directory, name), { throwIfNoEntry: false })?.isFile(),
  )
}
