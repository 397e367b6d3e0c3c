import * as files from 'node:fs'
import { resolve } from 'node:path'
import { reasonOf, weaknessBy } from '../../base/index.ts'
import type { Environment } from '../../plan/index.ts'
import { HookError } from './errors.ts'

/** Looked for in the working directory, the first that exists. */
const names = ['xcluster.config.ts', 'xcluster.config.js', 'xcluster.config.mjs']

/**
 * The hook module of this command, with its links resolved: the one that XCLUSTER_HOOK names, else a file in the working
 * directory. Directories above are not searched: what runs is named, or is where you are. Throws HOOK_MISSING, and
 * HOOK_UNSAFE when another user could write it.
 */
export function findHook(env: Environment, directory: string): string | undefined {
  const named = env.XCLUSTER_HOOK || undefined
  if (named === 'off') return undefined
  const path = named === undefined ? nameIn(directory) : resolve(directory, named)
  if (path === undefined) return undefined
  try {
    if (!files.statSync(path).isFile()) throw new Error('it is not a file')
    requireOwn(path)
    return files.realpathSync(path)
  } catch (failure) {
    if (failure instanceof HookError) throw failure
    throw missing(path, failure)
  }
}

function nameIn(directory: string): string | undefined {
  return names
    .map(name => resolve(directory, name))
    .find(path => files.lstatSync(path, { throwIfNoEntry: false }))
}

/** A hook runs as this user. */
function requireOwn(path: string): void {
  const reason = weaknessBy(files, process.geteuid!())(path)
  if (reason === undefined) return
  throw new HookError({
    code: 'HOOK_UNSAFE',
    kind: 'prerequisite',
    op: 'run hook',
    target: path,
    reason: `${reason}, and its code would run as you`,
    remedy: 'Make it yours and writable by you alone, or leave it out: XCLUSTER_HOOK=off',
  })
}

function missing(path: string, cause: unknown): HookError {
  return new HookError({
    code: 'HOOK_MISSING',
    kind: 'usage',
    op: 'load hook',
    target: path,
    reason: reasonOf(cause),
    remedy: 'Set XCLUSTER_HOOK to the path of a module, or to off',
    cause,
  })
}
