import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { commandFor } from '../api/index.ts'
import {
  type Clock,
  type ClusterPlaces,
  clusterPlaces,
  isSystemError,
  type Places,
  systemClock,
  until,
} from '../base/index.ts'
import { type FileLock, lockFile, SysError } from '../sys/index.ts'
import { OwnerError } from './errors.ts'

/** A runtime directory that is ours: the lock in it is held until `release`, or until this process is gone. */
export interface Claim {
  readonly at: ClusterPlaces
  /** Removes the directory, then lets go of the lock. */
  release(): Promise<void>
}

/**
 * Takes the cluster's lock, and its directory with it. Whatever a dead owner left there is removed. Exactly one
 * of several callers gets it; the others throw CLUSTER_RUNNING.
 */
export async function claim(at: ClusterPlaces, clock: Clock = systemClock): Promise<Claim> {
  const tryLock = async () => {
    await makePrivate(at.directory)
    return lockIn(at)
  }
  // A sweeper (below) may hold the lock of a dead cluster for a moment: only a lock that stays is an owner's.
  const lock = await until(clock, tryLock, { everyMs: 25, withinMs: 300, why: 'lock' })
  if (!lock) throw alreadyRunning(basename(at.directory))
  await rm(at.socket, { force: true })
  return { at, release: () => release(at, lock) }
}

function alreadyRunning(name: string): OwnerError {
  return new OwnerError({
    code: 'CLUSTER_RUNNING',
    op: 'start cluster',
    target: name,
    reason: 'it is already running',
    remedy: `Stop it with \`${commandFor(name, 'stop')}\`, or start another one with another --name`,
  })
}

/** Removes the directories of clusters whose owner is gone; gives the names of those. */
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

/** The names of all clusters that have a runtime directory, running or not, sorted. */
async function clusterNames(places: Places): Promise<string[]> {
  const entries = await readdir(places.runtime, { withFileTypes: true }).catch(ifMissing([]))
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

/** The lock, unless somebody holds it or its directory went away meanwhile. */
function lockIn({ lock }: ClusterPlaces): FileLock | undefined {
  try {
    return lockFile(lock)
  } catch (failure) {
    if (failure instanceof SysError && failure.errnoName === 'ENOENT') return undefined
    throw failure
  }
}

/** In this order, so that a directory with anything of ours in it always has its lock. What is not ours stays. */
async function release(at: ClusterPlaces, lock: FileLock): Promise<void> {
  await rm(at.socket, { force: true })
  await rm(at.lock, { force: true })
  await rmdir(at.directory).catch(failure => {
    if (!isSystemError(failure, 'ENOENT', 'ENOTEMPTY')) throw failure
  })
  await lock.close()
}

/** Makes a directory that only this user can enter, or makes sure that it is one. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory.slice(0, directory.lastIndexOf('/')), { recursive: true, mode: 0o700 })
  await mkdir(directory, { mode: 0o700 }).catch(failure => {
    if (!isSystemError(failure, 'EEXIST', 'ENOENT')) throw failure
  })
  const found = await lstat(directory).catch(ifMissing(undefined))
  if (found && !isPrivate(found))
    throw new OwnerError({
      code: 'RUNTIME_NOT_PRIVATE',
      op: 'use runtime directory',
      target: directory,
      reason: 'others can enter it, or it belongs to another user',
      remedy: 'Remove it, or set XDG_RUNTIME_DIR to a directory of your own',
    })
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
