import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Headers } from 'tar-stream'
import { messageOf } from '../base/index.ts'
import { type ArchiveEntry, type Attributes, compression, unpack } from '../image/index.ts'
import { OverlayError, unusable } from './errors.ts'
import { attributesIn } from './pax.ts'

/** Bytes that an archive may unpack to: more than fits into any guest's memory. */
const most = 4 * 2 ** 30

/** What an archive has for a guest's root, and remarks about it. */
export interface ArchiveContent {
  readonly entries: readonly ArchiveEntry[]
  /** Sentences about entries that users may not expect: a device, a program with set-user-ID. */
  readonly remarks: readonly string[]
}

export interface ArchiveUse {
  /** The error for an archive that cannot be used. Default: OVERLAY_UNUSABLE. */
  readonly refuse?: (target: string, reason: string) => OverlayError
  /** Whether entries have their times and extended attributes. Default: no, so that archives of the same files are equal. */
  readonly whole?: boolean
}

/**
 * Reads a tar archive, plain or compressed (gzip, bzip2, xz, zstd). `target` names it in errors. Throws
 * OVERLAY_UNUSABLE when it is damaged, or has a path outside of the root.
 */
export async function readArchive(
  bytes: Uint8Array,
  target: string,
  { refuse = unusable, whole = false }: ArchiveUse = {},
): Promise<ArchiveContent> {
  try {
    const plain = compression(bytes) ? await unpack(bytes, { limit: most }) : bytes
    if (!isTar(plain)) throw refuse(target, whyNoTar(plain))
    return await readTar(plain, new Content(target, { refuse, whole }))
  } catch (failure) {
    if (failure instanceof OverlayError) throw failure
    throw refuse(target, `its archive is damaged: ${messageOf(failure)}`)
  }
}

/** The archive without its compression. */
export async function plainArchive(bytes: Uint8Array, target: string): Promise<Uint8Array> {
  await readArchive(bytes, target) // refuses what is none
  return compression(bytes) ? await unpack(bytes, { limit: most }) : bytes
}

/** A block of a header has its magic at 257 (POSIX pax, "ustar"), or all of it is zero: an empty archive. */
function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < 512) return false
  const magic = Buffer.from(bytes.buffer, bytes.byteOffset + 257, 5).toString('latin1')
  return magic === 'ustar' || bytes.subarray(0, 512).every(byte => byte === 0)
}

function whyNoTar(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it gives no output where it should give a tar archive'
  const start = Buffer.from(bytes.subarray(0, 40))
    .toString('latin1')
    .replace(/[^ -~]/g, '.')
  return `it gives ${bytes.length} bytes that are no tar archive, beginning with '${start}'`
}

async function readTar(bytes: Uint8Array, reading: Content): Promise<ArchiveContent> {
  const { extract } = await import('tar-stream')
  const parser = extract()
  const attributes = reading.isWhole ? attributesIn(bytes) : []
  let count = 0
  parser.on('entry', (header, stream, next) => {
    const pieces: Buffer[] = []
    const own = attributes[count++]
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('error', () => {}) // the parser fails too
    stream.on('end', () => {
      try {
        reading.add(header, Buffer.concat(pieces), own)
        next()
      } catch (failure) {
        next(failure)
      }
    })
  })
  await pipeline(Readable.from(slices(bytes)), parser)
  return reading.done()
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20))
}

/** The entries of one archive so far. */
class Content {
  readonly #target: string
  readonly #use: Required<ArchiveUse>
  readonly #entries: ArchiveEntry[] = []
  readonly #files = new Map<string, Extract<ArchiveEntry, { kind: 'file' }>>()
  readonly #remarks: string[] = []

  constructor(target: string, use: Required<ArchiveUse>) {
    this.#target = target
    this.#use = use
  }

  get isWhole(): boolean {
    return this.#use.whole
  }

  add(header: Headers, content: Buffer, attributes: Attributes = []): void {
    const path = this.#pathOf(header.name)
    if (path === '') return // the root itself
    const { uid = 0, gid = 0, type, mtime } = header
    const mode = (header.mode ?? 0o644) & 0o7777
    const place = {
      ...{ path, uid, gid },
      ...(this.#use.whole && mtime && { mtime: mtime.getTime() / 1000 }),
      ...(attributes.length > 0 && { attributes }),
    }
    if (type === 'directory') this.#entries.push({ ...place, kind: 'directory', mode })
    else if (type === 'symlink') this.#entries.push({ ...place, kind: 'link', target: header.linkname ?? '' })
    else if (type === 'file' || type === 'contiguous-file')
      this.#addFile({ ...place, kind: 'file', mode, content })
    else if (type === 'link') this.#addHardLink(place, header.linkname ?? '')
    else if (type === 'character-device' || type === 'block-device' || type === 'fifo') {
      const [major, minor] = [header.devmajor ?? 0, header.devminor ?? 0]
      const kinds = { 'character-device': 'char', 'block-device': 'block', fifo: 'fifo' } as const
      this.#entries.push({ ...place, kind: 'device', mode, type: kinds[type], major, minor })
      if (type !== 'fifo') this.#remarks.push(`${this.#target} has a device, /${path}`)
    } else throw this.#use.refuse(this.#target, `it has /${path}, of the unknown type '${String(type)}'`)
  }

  done(): ArchiveContent {
    return { entries: this.#entries, remarks: this.#remarks }
  }

  #addFile(file: Extract<ArchiveEntry, { kind: 'file' }>): void {
    if (file.mode & 0o6000)
      this.#remarks.push(`${this.#target} has a program with set-user-ID, /${file.path}`)
    this.#files.set(file.path, file)
    this.#entries.push(file)
  }

  /** A hard link names an earlier file of the archive. The guest gets a copy. */
  #addHardLink(place: { path: string; uid: number; gid: number }, name: string): void {
    const file = this.#files.get(this.#pathOf(name))
    if (!file)
      throw this.#use.refuse(this.#target, `/${place.path} is a hard link to ${name}, which it does not have`)
    this.#addFile({ ...file, ...place })
  }

  /** `./etc//x` → `etc/x`. A path that leads out of the root is refused. */
  #pathOf(name: string): string {
    const parts = name.split('/').filter(part => part !== '' && part !== '.')
    if (parts.includes('..') || name.includes('\0'))
      throw this.#use.refuse(this.#target, `it has the path '${name}', which leads out of the guest's root`)
    return parts.join('/')
  }
}
