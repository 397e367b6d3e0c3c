import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { isSystemError } from '../base/index.ts'
import { readOrdinaryFile } from '../sys/index.ts'

/** No kernel, module or program has more. */
const mostBytes = 2 ** 31

/** The state of every path that was read, from `stat`. A path may be recorded as missing. */
export type Fingerprints = Readonly<Record<string, string>>

/**
 * Reads files and records every path, missing ones too. A later call can then tell by `stat` alone whether it
 * would read the same.
 */
export class Inputs {
  readonly #seen: Record<string, string> = {}

  /** The file's bytes. Throws as `readOrdinaryFile` does. */
  read(path: string): Promise<Buffer> {
    this.#look(path)
    return readOrdinaryFile(path, mostBytes)
  }

  has(path: string): boolean {
    return this.#look(path) !== ABSENT
  }

  isDirectory(path: string): boolean {
    return this.has(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  }

  /** The names in a directory, sorted. None when it does not exist. */
  async list(path: string): Promise<string[]> {
    if (!this.has(path)) return []
    try {
      return (await readdir(path)).sort()
    } catch (failure) {
      if (isSystemError(failure, 'ENOTDIR')) return []
      throw failure
    }
  }

  fingerprints(): Fingerprints {
    return this.#seen
  }

  /** Taken before reading, so that a change in between is noticed next time. */
  #look(path: string): string {
    this.#seen[path] ??= fingerprint(path)
    return this.#seen[path]
  }
}

const ABSENT = 'absent'

/**
 * Synchronous: there are a few hundred calls of some microseconds each. As promises they would take ten times
 * as long.
 */
export function fingerprint(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, mode } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, mode].join(':')
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT', 'ENOTDIR')) return ABSENT
    if (isSystemError(failure, 'EACCES', 'ELOOP', 'EPERM')) return failure.code!
    throw failure
  }
}

export function unchanged(fingerprints: Fingerprints): boolean {
  return Object.entries(fingerprints).every(([path, seen]) => fingerprint(path) === seen)
}
