import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { LOCK_EX, LOCK_NB } from '../constants.ts'
import { attempt, closed, SysError } from '../errors.ts'
import type { NetNamespace } from '../namespaces/namespace.ts'

/** A lock on a file that the kernel takes back when this process dies, however it dies. */
export class FileLock implements AsyncDisposable {
  readonly path: string
  #fd: number | undefined

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /** To write into the locked file who we are. */
  get fd(): number {
    if (this.#fd === undefined) throw closed(`lock ${this.path}`)
    return this.#fd
  }

  /** Unlocks; the file stays. */
  close(): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Locks the file, which is created if need be (0600), or gives undefined at once when somebody else has it. */
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

/** Locks a namespace itself, for whoever would have it alone; undefined at once when somebody else has. */
export function lockNamespace(namespace: NetNamespace): FileLock | undefined {
  const { path } = namespace
  return attempt('lock', path, () => {
    const fd = openSync(path, 'r') // opened once more: a lock belongs to one opening
    let keep = false
    try {
      keep = lock(fd)
      return keep ? new FileLock(path, fd) : undefined
    } finally {
      if (!keep) closeSync(fd)
    }
  })
}

function lock(fd: number): boolean {
  try {
    attempt('lock', 'file', () => binding().flock(fd, LOCK_EX | LOCK_NB))
    return true
  } catch (failure) {
    if (failure instanceof SysError && failure.errnoName === 'EAGAIN') return false
    throw failure
  }
}

/** False when the file was removed, or replaced, between opening and locking: that lock would keep nobody out. */
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
