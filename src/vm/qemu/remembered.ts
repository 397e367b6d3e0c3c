import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../../sys/index.ts'

/** A stored answer: a file of the cache with one answer and everything that it depends on. */
export interface Memory {
  readonly cacheDir: string
  /** The file's name. */
  readonly name: string
  /** Everything that the answer depends on, as text. */
  readonly key: string
}

/**
 * The stored answer, if it is for this key. A file that cannot be read counts as none. Synchronous: it takes 40 µs, and
 * a promise would take four turns of an event loop that is busy when a cluster starts.
 */
export function recall({ cacheDir, name, key }: Memory): unknown {
  try {
    const stored = JSON.parse(readFileSync(join(cacheDir, name), 'utf8')) as {
      key?: unknown
      answer?: unknown
    }
    return stored.key === key ? stored.answer : undefined
  } catch {
    return undefined
  }
}

/** Stores an answer. A cache that cannot be written costs time, nothing else. */
export async function remember({ cacheDir, name, key }: Memory, answer: unknown): Promise<void> {
  const file = join(cacheDir, name)
  const draft = `${file}.${process.pid}`
  try {
    makeDirectory(cacheDir, 0o700)
    await writeFile(draft, JSON.stringify({ key, answer }))
    await rename(draft, file)
  } catch {}
}
