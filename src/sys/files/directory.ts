import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../../base/index.ts'

/**
 * Makes a directory and those above it, unless they exist. `mkdir -p`. Errors are Node's.
 *
 * Used instead of Node's own `recursive`, which may not return on special file systems (MKDirpSync, src/node_file.cc).
 */
export function makeDirectory(path: string, mode = 0o777): void {
  const failure = tryToMake(path, mode)
  if (failure === undefined) return
  const parent = dirname(path)
  if (!isSystemError(failure, 'ENOENT') || existsSync(parent)) throw failure
  makeDirectory(parent, mode)
  const again = tryToMake(path, mode)
  if (again !== undefined) throw again
}

/** Undefined when the directory exists now. */
function tryToMake(path: string, mode: number): unknown {
  try {
    mkdirSync(path, { mode })
    return undefined
  } catch (failure) {
    return isDirectory(path) ? undefined : failure
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
