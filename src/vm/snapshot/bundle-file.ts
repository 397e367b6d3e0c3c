import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { VmError } from '../errors.ts'
import { pieceSize } from './manifest.ts'

/**
 * One saved thing in a file: a line of JSON (its head), its files one after another, and the SHA-256 of all that in 64
 * hex digits.
 */
const digits = 64
/** That line has at most so many bytes. */
const longestHead = 64 << 10

/** Writes a file that appears under its name when it is complete and on the disk. */
export async function writeWhole(path: string, write: (out: FileHandle) => Promise<void>): Promise<void> {
  const draft = `${path}.${process.pid}.part`
  try {
    await using out = await open(draft, 'wx', 0o644)
    await write(out)
    await out.sync()
    await rename(draft, path)
  } catch (failure) {
    await rm(draft, { force: true })
    throw failure
  }
}

/** Appends one saved thing: its head gets the sizes of these files. */
export async function writeBundle(out: FileHandle, head: object, paths: readonly string[]): Promise<void> {
  const sizes = await Promise.all(paths.map(async path => (await stat(path)).size))
  const hash = createHash('sha256')
  await put(out, hash, Buffer.from(`${JSON.stringify({ ...head, sizes })}\n`))
  for (const path of paths) await copyFrom(path, piece => put(out, hash, piece))
  await out.writeFile(hash.digest('hex'))
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

/** What is being read: how its errors name it. */
export interface Bundled {
  readonly path: string
  readonly file: FileHandle
  readonly kind: 'template' | 'snapshot'
}

/** Reads one saved thing from start to end, and hashes all of it. Throws TEMPLATE_DAMAGED or SNAPSHOT_DAMAGED. */
export class BundleReader<Head extends { readonly sizes: readonly number[] }> {
  readonly #of: Bundled
  readonly #hash = createHash('sha256')
  #at: number

  /** `at`: where it begins. */
  constructor(of: Bundled, at: number) {
    this.#of = of
    this.#at = at
  }

  get path(): string {
    return this.#of.path
  }

  /** The offset in the file: after it, once all of it has been read. */
  get at(): number {
    return this.#at
  }

  /** `parse` gives undefined for a line that is not a head. */
  async head(parse: (line: string) => Head | undefined): Promise<Head> {
    const { file, kind } = this.#of
    const { bytesRead, buffer } = await file.read(Buffer.alloc(longestHead), 0, longestHead, this.#at)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    const head = parsed(parse, buffer.toString('latin1', 0, Math.max(end, 0)))
    if (!head?.sizes.every(isSize)) throw this.refused(`it is not an exported ${kind}`)
    const { size } = await file.stat()
    const needed = head.sizes.reduce((sum, part) => sum + part, this.#at + end + 1 + digits)
    if (size < needed) throw this.refused(`it has ${size} bytes and should have at least ${needed}`)
    this.#hash.update(buffer.subarray(0, end + 1))
    this.#at += end + 1
    return head
  }

  /** Writes the next `size` bytes to a new file. */
  async part(size: number, path: string): Promise<void> {
    await using out = await open(path, 'wx', 0o600)
    const buffer = Buffer.allocUnsafe(pieceSize)
    for (let left = size; left > 0; ) {
      const { bytesRead } = await this.#of.file.read(buffer, 0, Math.min(left, pieceSize), this.#at)
      if (bytesRead === 0) throw this.refused('it is truncated')
      const piece = buffer.subarray(0, bytesRead)
      this.#hash.update(piece)
      await out.writeFile(piece)
      left -= bytesRead
      this.#at += bytesRead
    }
    await out.sync()
  }

  async end(): Promise<void> {
    const { buffer } = await this.#of.file.read(Buffer.alloc(digits), 0, digits, this.#at)
    if (buffer.toString('latin1') !== this.#hash.digest('hex'))
      throw this.refused('its SHA-256 does not match the one at its end')
    this.#at += digits
  }

  refused(reason: string): VmError {
    const { kind, path } = this.#of
    const code = kind === 'template' ? 'TEMPLATE_DAMAGED' : 'SNAPSHOT_DAMAGED'
    return new VmError({ code, op: `import ${kind}`, target: path, reason })
  }
}

function parsed<Head>(parse: (line: string) => Head | undefined, line: string): Head | undefined {
  try {
    return parse(line)
  } catch {
    return undefined
  }
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
