import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { LOCK_EX, LOCK_NB, LOCK_SH } from '../constants.ts'
import { attempt, closed, SysError } from '../errors.ts'
import type { NetNamespace } from '../namespaces/namespace.ts'

/** A lock on a file. The kernel releases it when this process ends, however it ends. */
export class FileLock implements AsyncDisposable {
  readonly path: string
  #fd: number | undefined

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /** For writing into the locked file which process holds it. */
  get fd(): number {
    if (this.#fd === undefined) throw closed(`lock ${this.path}`)
    return this.#fd
  }

  /** Releases the lock; the file stays. */
  close(): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Locks the file, creating it (0600) when it is missing. Returns undefined at once when another process holds
 * the lock.
 */
export function lockFile(path: string): FileLock | undefined {
  return attempt('lock', path, () => {
    for (;;) {
      const fd = openSync(path, 'a', 0o600)
      let keep = false
      try {
        if (!lock(fd)) return undefined
        keep = isAt(path, fd)
        if (keep) return new FileLock(path, fd)
      } finally {
        if (!keep) closeSync(fd)
      }
    }
  })
}

/** Locks a namespace itself, for exclusive use. Returns undefined at once when another process holds the lock. */
export function lockNamespace(namespace: NetNamespace): FileLock | undefined {
  const { path } = namespace
  return attempt('lock', path, () => {
    const fd = openSync(path, 'r') // opened again: a lock belongs to one open file description
    let keep = false
    try {
      keep = lock(fd)
      return keep ? new FileLock(path, fd) : undefined
    } finally {
      if (!keep) closeSync(fd)
    }
  })
}

/**
 * Locks an open file for itself or together with others, or turns one lock into the other. False at once when others are in
 * the way. Closing the descriptor, or the end of this process, releases it.
 */
export function lockOpen(fd: number, kind: 'exclusive' | 'shared'): boolean {
  return lock(fd, kind === 'shared' ? LOCK_SH : LOCK_EX)
}

/** The processes that hold a lock on an open file, this one too (/proc/locks, fs/locks.c). */
export function lockHolders(fd: number): number[] {
  const { ino } = fstatSync(fd)
  const lines = readFileSync('/proc/locks', 'latin1').matchAll(
    /^\d+: FLOCK .* (\d+) [\da-f:]+:(\d+) \d+ EOF$/gm,
  )
  return [
    ...new Set(Array.from(lines).flatMap(([, pid, inode]) => (inode === `${ino}` ? [Number(pid)] : []))),
  ]
}

function lock(fd: number, kind = LOCK_EX): boolean {
  try {
    attempt('lock', 'file', () => binding().flock(fd, kind | LOCK_NB))
    return true
  } catch (failure) {
    if (failure instanceof SysError && failure.errnoName === 'EAGAIN') return false
    throw failure
  }
}

/**
 * False when the file was removed or replaced between opening and locking: such a lock would exclude no other
 * process.
 */
function isAt(path: string, fd: number): boolean {
  const ours = fstatSync(fd)
  try {
    const there = statSync(path)
    return there.ino === ours.ino && there.dev === ours.dev
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT')) return false
    throw failure
  }
}
