import { lstat, open, readdir, readlink, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { reasonOf } from '../base/index.ts'
import { FileError } from './errors.ts'
import { lastRecord, longestPiece, pieceBytes, recordBytes } from './record.ts'

/**
 * What to send to a guest: the path of a file or directory of this machine, or content: bytes, text, or a stream of
 * either.
 */
export type PutSource = string | Uint8Array | { readonly text: string } | AsyncIterable<Uint8Array | string>

/** The progress of a copy. */
export interface CopyProgress {
  /** Bytes of content so far. */
  readonly bytes: number
  /** Files so far, the present one included. */
  readonly files: number
  /** The present file. */
  readonly name: string
}

/** What a copy has done. */
export interface Copied {
  readonly files: number
  readonly bytes: number
  /** What was left out, with the reason: `run/socket is a socket or device`. */
  readonly skipped: readonly string[]
}

type Status = Awaited<ReturnType<typeof lstat>>

/** Counts what is copied, for progress and result. */
export class Tally {
  bytes = 0
  files = 0
  name = ''
  readonly skipped: string[] = []
  readonly #told: ((progress: CopyProgress) => void) | undefined

  constructor(told?: (progress: CopyProgress) => void) {
    this.#told = told
  }

  begin(name: string): void {
    this.files += 1
    this.name = name
    this.#told?.(this)
  }

  add(bytes: number): void {
    this.bytes += bytes
    this.#told?.(this)
  }

  get copied(): Copied {
    return { files: this.files, bytes: this.bytes, skipped: this.skipped }
  }
}

/** The records of all sources, to the last one. `name` and `mode` are for content. Throws FILE_SOURCE. */
export async function* packed(
  sources: readonly PutSource[],
  {
    tally,
    name,
    mode = 0o644,
  }: { readonly tally: Tally; readonly name: string; readonly mode?: number | undefined },
): AsyncGenerator<Uint8Array> {
  for (const source of sources) {
    if (typeof source === 'string') yield* reading(source, packedPath(source, tally))
    else yield* packedContent(source, { tally, name, mode })
  }
  yield lastRecord
}

async function* reading(path: string, records: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* records
  } catch (failure) {
    if (failure instanceof FileError) throw failure
    throw new FileError({
      code: 'FILE_SOURCE',
      op: 'read',
      target: path,
      reason: reasonOf(failure),
      cause: failure,
    })
  }
}

/** A link is followed here, and stays a link further below: as cp(1) does. */
async function* packedPath(path: string, tally: Tally): AsyncGenerator<Uint8Array> {
  const status = await stat(path)
  if (status.isFile() || status.isDirectory())
    yield* packedAny({ path, name: basename(resolve(path)) || 'root', status }, tally)
  else
    throw new FileError({
      code: 'FILE_SOURCE',
      op: 'read',
      target: path,
      reason: 'it is neither a file nor a directory',
    })
}

interface Place {
  readonly path: string
  readonly name: string
  readonly status: Status
}

async function* packedAny(place: Place, tally: Tally): AsyncGenerator<Uint8Array> {
  const { path, name, status } = place
  if (status.isFile()) yield* packedFile(place, tally)
  else if (status.isSymbolicLink()) yield headOf('link', place, await readlink(path))
  else if (status.isDirectory()) {
    yield headOf('directory', place)
    for (const entry of (await readdir(path)).sort()) {
      const inner = join(path, entry)
      yield* packedAny({ path: inner, name: `${name}/${entry}`, status: await lstat(inner) }, tally)
    }
  } else tally.skipped.push(`${name} is a socket, pipe or device`)
}

function headOf(kind: 'file' | 'directory' | 'link', { name, status }: Place, target = ''): Uint8Array {
  const mtimeNs = BigInt(Math.round(Number(status.mtimeMs) * 1000)) * 1000n
  return recordBytes({ kind, name, mode: Number(status.mode) & 0o7777, mtimeNs, target })
}

/** Its content is what there is when it is read, whatever its size was. */
async function* packedFile(place: Place, tally: Tally): AsyncGenerator<Uint8Array> {
  await using file = await open(place.path)
  tally.begin(place.name)
  yield headOf('file', place)
  for (;;) {
    const piece = Buffer.allocUnsafe(4 + longestPiece)
    const { bytesRead } = await file.read(piece, 4, longestPiece)
    piece.writeUInt32LE(bytesRead)
    tally.add(bytesRead)
    yield piece.subarray(0, 4 + bytesRead)
    if (bytesRead === 0) return
  }
}

interface Content {
  readonly tally: Tally
  readonly name: string
  readonly mode: number
}

async function* packedContent(
  source: Exclude<PutSource, string>,
  { tally, name, mode }: Content,
): AsyncGenerator<Uint8Array> {
  tally.begin(name)
  yield recordBytes({ kind: 'file', name, mode, mtimeNs: BigInt(Date.now()) * 1_000_000n, target: '' })
  for await (const piece of piecesOf(source)) {
    const bytes = Buffer.from(piece)
    for (let at = 0; at < bytes.length; at += longestPiece) {
      const part = bytes.subarray(at, at + longestPiece)
      tally.add(part.length)
      yield pieceBytes(part)
    }
  }
  yield pieceBytes(new Uint8Array())
}

function piecesOf(
  source: Exclude<PutSource, string>,
): Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string> {
  if (source instanceof Uint8Array) return [source]
  return 'text' in source ? [source.text] : source
}
