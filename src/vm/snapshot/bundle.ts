import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import { foreign } from '../template/errors.ts'
import { whyForeign } from '../template/facts.ts'
import { withLock } from '../template/lock.ts'
import { pieceSize } from './manifest.ts'
import { closeLoaded, emptyDraft, fileNames, install, layerName, loadTemplate, templatesIn } from './store.ts'

/**
 * Templates in one file, for another machine of the same kind: one after another, each in the form
 *
 * ```text
 * {"format":"xcluster template","v":1,"key":"…","sizes":[n,n,n]}⏎   manifest.json, ram, state, perhaps layer   64 hex digits
 * ```
 *
 * The digits are the SHA-256 of everything before them, from this template's head on.
 */
interface Head {
  readonly format: 'xcluster template'
  readonly v: 1
  readonly key: string
  readonly sizes: readonly number[]
}

const usualNames = Object.values(fileNames)
const namesWithLayer = [...usualNames, layerName]
const digits = 64

/** Writes templates of the cache to a file, which appears under its name when it is complete. */
export async function exportTemplates(
  cacheDir: string,
  keys: readonly string[],
  path: string,
): Promise<void> {
  const draft = `${path}.${process.pid}.part`
  try {
    await using out = await open(draft, 'wx', 0o644)
    for (const key of keys) await exportOne(cacheDir, key, out)
    await out.sync()
    await rename(draft, path)
  } catch (failure) {
    await rm(draft, { force: true })
    throw failure
  }
}

async function exportOne(cacheDir: string, key: string, out: FileHandle): Promise<void> {
  const directory = join(templatesIn(cacheDir), key)
  const loaded = await loadTemplate(directory, key)
  if (!loaded) throw noSuch(key)
  await closeLoaded(loaded)
  const names = loaded.manifest.layer ? namesWithLayer : usualNames
  const sizes = await Promise.all(names.map(async name => (await stat(join(directory, name))).size))
  const hash = createHash('sha256')
  const head: Head = { format: 'xcluster template', v: 1, key, sizes }
  await put(out, hash, Buffer.from(`${JSON.stringify(head)}\n`))
  for (const name of names) await copyFrom(join(directory, name), piece => put(out, hash, piece))
  await out.writeFile(hash.digest('hex'))
}

/**
 * Adds exported templates to the cache, each after all of it has been checked, and returns their keys. When
 * one is damaged, or of another QEMU or CPU than this machine's, those before it are in the cache.
 */
export async function importTemplates(cacheDir: string, path: string): Promise<string[]> {
  await using file = await open(path)
  const { size } = await file.stat()
  const keys: string[] = []
  for (let at = 0; at < size || keys.length === 0; ) {
    const reader = new BundleReader(path, file, at)
    keys.push(await importOne(cacheDir, reader))
    at = reader.at
  }
  return keys
}

async function importOne(cacheDir: string, reader: BundleReader): Promise<string> {
  const { key, sizes } = await reader.head()
  const directory = join(templatesIn(cacheDir), key)
  makeDirectory(dirname(directory), 0o700)
  await withLock(directory, async () => {
    const draft = await emptyDraft(directory)
    try {
      for (const [index, size] of sizes.entries()) {
        await using out = await open(join(draft, namesWithLayer[index]!), 'wx', 0o600)
        await reader.part(size, piece => out.writeFile(piece))
        await out.sync()
      }
      await reader.end()
      const loaded = await loadTemplate(draft, key)
      if (loaded) await closeLoaded(loaded)
      const why = loaded && (await whyForeign(loaded.manifest.facts))
      if (why) throw foreign(reader.path, why)
      await install(draft, directory)
    } catch (failure) {
      await rm(draft, { recursive: true, force: true })
      throw failure
    }
  })
  return key
}

async function put(out: FileHandle, hash: Hash, bytes: Uint8Array): Promise<void> {
  hash.update(bytes)
  await out.writeFile(bytes)
}

async function copyFrom(path: string, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
  await using file = await open(path)
  const buffer = Buffer.allocUnsafe(pieceSize)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, pieceSize)
    if (bytesRead === 0) return
    await take(buffer.subarray(0, bytesRead))
  }
}

/** Reads an exported template from start to end, and hashes all of it. */
class BundleReader {
  readonly #path: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #at: number

  constructor(path: string, file: FileHandle, at: number) {
    this.#path = path
    this.#file = file
    this.#at = at
  }

  get path(): string {
    return this.#path
  }

  /** The offset in the file: after the template, once all of it has been read. */
  get at(): number {
    return this.#at
  }

  async head(): Promise<Head> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(4096), 0, 4096, this.#at)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    const head = readHead(buffer.toString('latin1', 0, Math.max(end, 0)))
    if (!head) throw this.#refused('it is not an exported template')
    const { size } = await this.#file.stat()
    const needed = head.sizes.reduce((sum, part) => sum + part, this.#at + end + 1 + digits)
    if (size < needed) throw this.#refused(`it has ${size} bytes and should have at least ${needed}`)
    this.#hash.update(buffer.subarray(0, end + 1))
    this.#at += end + 1
    return head
  }

  async part(size: number, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
    const buffer = Buffer.allocUnsafe(pieceSize)
    for (let left = size; left > 0; ) {
      const { bytesRead } = await this.#file.read(buffer, 0, Math.min(left, pieceSize), this.#at)
      if (bytesRead === 0) throw this.#refused('it is truncated')
      const piece = buffer.subarray(0, bytesRead)
      this.#hash.update(piece)
      await take(piece)
      left -= bytesRead
      this.#at += bytesRead
    }
  }

  async end(): Promise<void> {
    const { buffer } = await this.#file.read(Buffer.alloc(digits), 0, digits, this.#at)
    if (buffer.toString('latin1') !== this.#hash.digest('hex'))
      throw this.#refused('its SHA-256 does not match the one at its end')
    this.#at += digits
  }

  #refused(reason: string): VmError {
    return new VmError({ code: 'TEMPLATE_DAMAGED', op: 'import template', target: this.#path, reason })
  }
}

function readHead(line: string): Head | undefined {
  try {
    const head = JSON.parse(line) as Head
    const { format, key, sizes, v } = head
    const isOurs = format === 'xcluster template' && v === 1 && /^[0-9a-f]{64}$/.test(key)
    const isWhole = sizes.length === usualNames.length || sizes.length === namesWithLayer.length
    return isOurs && isWhole && sizes.every(isSize) ? head : undefined
  } catch {
    return undefined
  }
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function noSuch(key: string): VmError {
  const remedy = 'listTemplates gives those in the cache'
  return new VmError({
    code: 'TEMPLATE_UNKNOWN',
    kind: 'missing',
    op: 'export template',
    target: key,
    reason: 'the cache does not have it',
    remedy,
  })
}
