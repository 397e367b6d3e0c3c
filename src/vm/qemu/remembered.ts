import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where something found out is kept: one file of the cache, with one answer and all that it depends on. */
export interface Memory {
  readonly cacheDir: string
  /** The file's name. */
  readonly name: string
  /** All that the answer depends on, as text. */
  readonly key: string
}

/**
 * The last answer, where it is this key's. Whatever is wrong with the file is a reason to find out again. At once: it
 * takes 40 µs, and as a promise four turns of an event loop that has more to do when a cluster starts.
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

/** A cache that cannot be written costs time, nothing else. */
export async function remember({ cacheDir, name, key }: Memory, answer: unknown): Promise<void> {
  const file = join(cacheDir, name)
  const draft = `${file}.${process.pid}`
  try {
    await mkdir(cacheDir, { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify({ key, answer }))
    await rename(draft, file)
  } catch {}
}
