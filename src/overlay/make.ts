import { cp, lstat, mkdir, opendir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, reasonOf } from '../base/index.ts'
import { makeDirectory } from '../sys/index.ts'
import { OverlayError } from './errors.ts'

/** What an overlay is to have. Paths are those in a guest, without the first slash. */
export interface OverlayContent {
  readonly files: readonly OverlayText[]
  readonly copies: readonly OverlayCopy[]
}

export interface OverlayText {
  readonly path: string
  readonly text: string
  /** 0o644, 0o755. */
  readonly mode: number
}

/** A file, or a directory with all in it, of this machine. */
export interface OverlayCopy {
  readonly from: string
  readonly path: string
  /** What it is called when it is left out. */
  readonly name: string
}

/** A guest has files in its memory. What is larger belongs to the machine: /lib/modules. */
const mostBytes = 64 << 20
const ofTheMachine = ['/dev', '/proc', '/sys', '/run']

/** Failures of one copy. Others, such as a full disk, end all. */
const ofTheUser = ['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'ELOOP'] as const

const tarText = `#!/bin/sh
cd "$(dirname "$(readlink -f "$0")")/default" && tar -cf "\${1:--}" --owner=0 --group=0 .
`

/**
 * Makes the directory of an overlay. Returns copies that were left out, and why: `NAME: REASON`. Throws OVERLAY_NOT_MADE when
 * the directory is there or cannot be made; then nothing is left of it.
 */
export async function makeOverlay(directory: string, { files, copies }: OverlayContent): Promise<string[]> {
  await mkdir(directory).catch(failure => {
    throw notMade(directory, failure)
  })
  try {
    const write = async ({ path, text, mode }: OverlayText) => {
      makeDirectory(dirname(join(directory, path)))
      await writeFile(join(directory, path), text, { mode })
    }
    await write({ path: 'tar', text: tarText, mode: 0o755 })
    for (const file of files) await write({ ...file, path: join('default', file.path) })
    const left: string[] = []
    for (const { from, path, name } of copies) {
      const why = await copied(from, join(directory, 'default', path))
      if (why !== undefined) left.push(`${name}: ${why}`)
    }
    return left
  } catch (failure) {
    await rm(directory, { recursive: true, force: true })
    throw notMade(directory, failure)
  }
}

/** Copies what a user names, with modes and links; sockets and devices are left out. Returns why it was not copied. */
async function copied(named: string, to: string): Promise<string | undefined> {
  let isBegun = false
  try {
    const from = await realpath(named)
    const isOfTheMachine = ofTheMachine.some(path => `${from}/`.startsWith(`${path}/`))
    if (from === '/' || isOfTheMachine) return 'it is of this machine alone'
    if (!(await isPlain(from))) return 'it is neither a file nor a directory'
    if ((await sizeOf(from)) > mostBytes) return `it is larger than ${mostBytes >> 20} MiB`
    makeDirectory(dirname(to))
    isBegun = true
    await cp(from, to, { recursive: true, verbatimSymlinks: true, filter: isPlain })
    return undefined
  } catch (failure) {
    const isInside = (failure as { code?: string }).code === 'ERR_FS_CP_EINVAL' // to a subdirectory of itself
    if (!isInside && !isSystemError(failure, ...ofTheUser)) throw failure
    if (isBegun) await rm(to, { recursive: true, force: true })
    return isInside ? 'the overlay is in it' : reasonOf(failure)
  }
}

async function isPlain(path: string): Promise<boolean> {
  const stats = await lstat(path)
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink()
}

/** Bytes of the files at a path, or more than the limit. */
async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path)
  if (!stats.isDirectory()) return stats.size
  let size = 0
  for await (const { parentPath, name } of await opendir(path, { recursive: true })) {
    size += (await lstat(join(parentPath, name))).size
    if (size > mostBytes) break
  }
  return size
}

function notMade(target: string, cause: unknown): OverlayError {
  const reason = reasonOf(cause)
  return new OverlayError({
    code: 'OVERLAY_NOT_MADE',
    kind: 'usage',
    op: 'make overlay',
    target,
    reason,
    cause,
  })
}
