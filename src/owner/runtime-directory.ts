import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, dirname } from 'node:path'
import { commandFor } from '../api/index.ts'
import {
  type Clock,
  type ClusterPlaces,
  clusterPlaces,
  isSystemError,
  type Places,
  reasonOf,
  systemClock,
  until,
} from '../base/index.ts'
import { type FileLock, lockFile, makeDirectory, requireTrustedPlace, SysError } from '../sys/index.ts'
import { OwnerError } from './errors.ts'

/** A runtime directory that belongs to this process: it holds the lock in it until `release`, or until it ends. */
export interface Claim {
  readonly at: ClusterPlaces
  /** Removes the directory, then releases the lock. */
  release(): Promise<void>
}

/**
 * Takes the cluster's lock and, with it, its directory. Removes the socket of an owner that died. Of several
 * simultaneous callers one succeeds; the others throw CLUSTER_RUNNING.
 */
export async function claim(at: ClusterPlaces, clock: Clock = systemClock): Promise<Claim> {
  const tryLock = async () => {
    requireTrustedPlace('runtime', dirname(at.directory))
    await makePrivate(at.directory)
    const lock = lockIn(at)
    if (!lock && (await listens(at.socket))) throw alreadyRunning(basename(at.directory))
    return lock
  }
  // An owner that starts has the lock before it listens, and `sweep` (below) holds that of a dead cluster for a moment.
  const lock = await until(clock, tryLock, { everyMs: 25, withinMs: 300, why: 'lock' })
  if (!lock) throw alreadyRunning(basename(at.directory))
  await rm(at.socket, { force: true })
  return { at, release: () => release(at, lock) }
}

function listens(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(socket)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.on('error', () => resolve(false))
  })
}

function alreadyRunning(name: string): OwnerError {
  return new OwnerError({
    code: 'CLUSTER_RUNNING',
    op: 'start cluster',
    target: name,
    reason: 'it is already running',
    remedy: `Stop it with \`${commandFor(name, 'stop')}\`, restart it with \`${commandFor(name, 'start --restart')}\`, or use another --name`,
  })
}

/** Removes the runtime directories of clusters whose owner has died, and returns the clusters' names. */
export async function sweep(places: Places): Promise<string[]> {
  const removed: string[] = []
  for (const name of await clusterNames(places)) {
    const at = clusterPlaces(places, name)
    const lock = lockIn(at)
    if (!lock) continue
    await release(at, lock)
    removed.push(name)
  }
  return removed
}

/** The names of all clusters that have a runtime directory, running or dead, sorted. */
async function clusterNames(places: Places): Promise<string[]> {
  const entries = await readdir(places.runtime, { withFileTypes: true }).catch(ifMissing([]))
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

/** Takes the lock. Undefined when another process holds it, or when its directory has just been removed. */
function lockIn({ lock }: ClusterPlaces): FileLock | undefined {
  try {
    return lockFile(lock)
  } catch (failure) {
    if (failure instanceof SysError && failure.errnoName === 'ENOENT') return undefined
    throw failure
  }
}

/** The socket goes first: a directory with a socket always has its lock. Other files, and their directory, stay. */
async function release(at: ClusterPlaces, lock: FileLock): Promise<void> {
  await rm(at.socket, { force: true })
  await rm(at.lock, { force: true })
  await rmdir(at.directory).catch(failure => {
    if (!isSystemError(failure, 'ENOENT', 'ENOTEMPTY')) throw failure
  })
  await lock.close()
}

/** Makes a directory that only this user can enter, or throws RUNTIME_NOT_PRIVATE for one that others can enter. */
async function makePrivate(directory: string): Promise<void> {
  makeParent(directory.slice(0, directory.lastIndexOf('/')))
  await mkdir(directory, { mode: 0o700 }).catch(failure => {
    if (!isSystemError(failure, 'EEXIST', 'ENOENT')) throw failure
  })
  const found = await lstat(directory).catch(ifMissing(undefined))
  if (found && !isPrivate(found))
    throw new OwnerError({
      code: 'RUNTIME_NOT_PRIVATE',
      op: 'use runtime directory',
      target: directory,
      reason: 'it belongs to another user, or other users can enter it',
      remedy: 'Remove it, or set XDG_RUNTIME_DIR to a directory of your own',
    })
}

function makeParent(directory: string): void {
  try {
    makeDirectory(directory, 0o700)
  } catch (cause) {
    throw new OwnerError({
      code: 'RUNTIME_UNWRITABLE',
      kind: 'prerequisite',
      op: 'make runtime directory',
      target: directory,
      reason: reasonOf(cause),
      remedy: 'Set XDG_RUNTIME_DIR to a directory of your own',
      cause,
    })
  }
}

function isPrivate(found: Stats): boolean {
  return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0
}

function ifMissing<T>(instead: T): (failure: unknown) => T {
  return failure => {
    if (isSystemError(failure, 'ENOENT')) return instead
    throw failure
  }
}
