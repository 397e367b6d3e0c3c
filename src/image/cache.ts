import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoText, isSystemError } from '../base/index.ts'
import { makeDirectory } from '../sys/index.ts'
import { ImageError } from './errors.ts'
import { type Fingerprints, fingerprint, unchanged } from './inputs.ts'

/** Files by name, stored together under the hash of their inputs. */
export interface CacheEntry {
  readonly key: string
  readonly dir: string
  /** Facts about the files, of the caller's choice. */
  readonly facts: unknown
}

interface Manifest {
  readonly facts: unknown
  readonly files: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>
}

/** The last result of one request, and the state of the files that it depends on. */
interface Answer {
  readonly key: string
  readonly facts: unknown
  readonly inputs: Fingerprints
  readonly outputs: Fingerprints
}

const DAY = 24 * 60 * 60 * 1000

/**
 * A directory of entries, each complete or absent: an entry is written in a temporary directory and renamed.
 * A small file for each request lets a later call find its entry with `stat` alone.
 */
export class Cache {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** The entry that this request gave last time, if no file that it depends on has changed since. */
  recall(request: string): CacheEntry | undefined {
    const answer = readJson(this.#answerFile(request)) as Answer | undefined
    if (!answer || !unchanged(answer.outputs) || !unchanged(answer.inputs)) return undefined
    if (!Object.keys(answer.outputs).every(isForAll)) return undefined // `find` makes it so
    return { key: answer.key, dir: join(this.#dir, answer.key), facts: answer.facts }
  }

  async remember(request: string, entry: CacheEntry, inputs: Fingerprints): Promise<void> {
    const manifest = readJson(join(entry.dir, MANIFEST)) as Manifest | undefined
    if (!manifest) return // removed meanwhile, for instance by `rm -r`: the next call builds it
    const files = [MANIFEST, ...Object.keys(manifest.files)].map(name => join(entry.dir, name))
    const outputs = Object.fromEntries(files.map(path => [path, fingerprint(path)]))
    const answer: Answer = { key: entry.key, facts: entry.facts, inputs, outputs }
    const aside = this.#aside()
    await writeFile(aside, JSON.stringify(answer))
    await rename(aside, this.#answerFile(request))
  }

  /** The entry of this key if it is intact: every byte is checked. */
  async find(key: string): Promise<CacheEntry | undefined> {
    const dir = join(this.#dir, key)
    const manifest = readJson(join(dir, MANIFEST)) as Manifest | undefined
    if (!manifest) return undefined
    for (const [name, { sha256 }] of Object.entries(manifest.files)) {
      const content = await readFile(join(dir, name)).catch(() => undefined)
      if (!content || sha256Of(content) !== sha256) return undefined
    }
    for (const name of [MANIFEST, ...Object.keys(manifest.files)])
      if (!isForAll(join(dir, name))) await chmod(join(dir, name), forAll)
    const now = new Date()
    await utimes(dir, now, now)
    return { key, dir, facts: manifest.facts }
  }

  /** Writes an entry. Processes that write the same entry at the same time write the same bytes. */
  async store(key: string, files: Readonly<Record<string, Uint8Array>>, facts: unknown): Promise<CacheEntry> {
    makeDirectory(this.#dir)
    const aside = this.#aside()
    try {
      await mkdir(aside)
      const manifest = JSON.stringify(manifestOf(files, facts))
      for (const [name, content] of Object.entries({ ...files, [MANIFEST]: manifest })) {
        await writeFile(join(aside, name), content)
        await chmod(join(aside, name), forAll)
      }
      await this.#install(aside, key)
    } catch (failure) {
      throw isSystemError(failure, 'ENOSPC', 'EDQUOT', 'EIO') ? unwritten(this.#dir, failure) : failure
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
    await this.#prune(key)
    return { key, dir: join(this.#dir, key), facts }
  }

  /**
   * A directory can only be renamed onto an empty one, so a damaged entry is moved away first. An intact one
   * stays: another builder was faster, and may be using it.
   */
  async #install(aside: string, key: string): Promise<void> {
    const dir = join(this.#dir, key)
    try {
      await rename(aside, dir)
    } catch (failure) {
      if (!isSystemError(failure, 'ENOTEMPTY', 'EEXIST')) throw failure
      if (await this.find(key)) return
      const old = this.#aside()
      await rename(dir, old).catch(() => {}) // another builder may be doing the same
      await rename(aside, dir).catch(() => {})
      await rm(old, { recursive: true, force: true })
    }
  }

  /** Removes entries that were not used for two weeks, and remains of a builder that was killed. */
  async #prune(keep: string): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name)
      const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
      const old = name.startsWith(ASIDE) ? age > DAY / 24 : age > 14 * DAY
      if (name !== keep && old) await rm(path, { recursive: true, force: true })
    }
  }

  #aside(): string {
    return join(this.#dir, `${ASIDE}${randomUUID()}`)
  }

  #answerFile(request: string): string {
    return join(this.#dir, `request-${sha256Of(Buffer.from(request)).slice(0, 16)}.json`)
  }
}

/** Whatever the umask: QEMU, under a user of its own, opens these files. */
const forAll = 0o644

function isForAll(path: string): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0
}

/** A write that fails does not say to which file. */
function unwritten(dir: string, cause: NodeJS.ErrnoException): ImageError {
  return new ImageError({
    code: 'IMAGE_UNWRITTEN',
    kind: 'prerequisite',
    op: 'write guest image in',
    target: dir,
    reason: errnoText(cause.errno ?? 0),
    remedy: 'Free 100 MB there, or set XDG_CACHE_HOME to a directory with more room',
    cause,
  })
}

const ASIDE = '.aside-'
const MANIFEST = 'manifest.json'

function manifestOf(files: Readonly<Record<string, Uint8Array>>, facts: unknown): Manifest {
  const described = Object.entries(files).map(([name, bytes]) => [
    name,
    { size: bytes.length, sha256: sha256Of(bytes) },
  ])
  return { facts, files: Object.fromEntries(described) }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** At once, as {@link fingerprint} is: these files are short. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (failure) {
    if (failure instanceof SyntaxError || isSystemError(failure, 'ENOENT', 'ENOTDIR')) return undefined
    throw failure
  }
}
