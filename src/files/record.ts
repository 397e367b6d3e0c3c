import { DecodeError, Reader, Writer } from '../base/index.ts'

/** The numbers of the kinds of records (native/guest/files.h). */
const kinds = ['last', 'file', 'directory', 'link', 'other'] as const
export type RecordKind = (typeof kinds)[number]

/** One file, directory or link, before its content; `last` when nothing follows. */
export interface FileRecord {
  readonly kind: RecordKind
  /** Its path below what is copied: `etc/hosts`. */
  readonly name: string
  /** The 12 low bits: permissions, and those for set-user-id, set-group-id and sticky. */
  readonly mode: number
  /** When it was changed, in nanoseconds since 1970. */
  readonly mtimeNs: bigint
  /** Of a link. */
  readonly target: string
}

const headLength = 24
/** Bytes of a name or of a link's target: PATH_MAX. */
const longestName = 4096
/** Bytes of content in one piece. */
export const longestPiece = 128 << 10

export function recordBytes({ kind, name, mode, mtimeNs, target }: FileRecord): Uint8Array {
  const [path, goal] = [Buffer.from(name), Buffer.from(target)]
  const out = new Writer(headLength + path.length + goal.length)
  out.u32(kinds.indexOf(kind))
  out.u32(mode)
  out.u64(BigInt.asUintN(64, mtimeNs))
  out.u32(path.length)
  out.u32(goal.length)
  out.put(path)
  out.put(goal)
  return out.done()
}

export const lastRecord: Uint8Array = recordBytes({
  kind: 'last',
  name: '',
  mode: 0,
  mtimeNs: 0n,
  target: '',
})

/** A piece of content, with its length before it. The piece without bytes ends the file. */
export function pieceBytes(bytes: Uint8Array): Uint8Array {
  const piece = Buffer.allocUnsafe(4 + bytes.length)
  piece.writeUInt32LE(bytes.length)
  piece.set(bytes, 4)
  return piece
}

/** What a stream of records consists of: a record, a part of the content of the latest one, and the end of that. */
export type FilePart =
  | FileRecord
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }

type Expected = 'record' | 'names' | 'length' | 'content' | 'nothing'

/**
 * Cuts a stream of bytes into records. Throws MALFORMED_BYTES for lengths and kinds that a guest cannot mean, before it
 * waits for what they announce: it never holds more than two names.
 */
export class RecordSplitter {
  #held: Buffer = Buffer.alloc(0)
  #next: Expected = 'record'
  #head: Omit<FileRecord, 'name' | 'target'> | undefined
  #lengths: [name: number, target: number] = [0, 0]
  #left = 0

  /** True when the last record has come: without it the stream is not whole. */
  get isWhole(): boolean {
    return this.#next === 'nothing'
  }

  *push(bytes: Uint8Array): Generator<FilePart> {
    let rest =
      this.#held.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#held, bytes])
    for (;;) {
      const [taken, part] = this.#take(rest)
      rest = rest.subarray(taken)
      if (part) yield part
      if (taken === 0) break
    }
    this.#held = Buffer.from(rest)
  }

  /** How many bytes were taken: 0 when there are too few. */
  #take(bytes: Buffer): [taken: number, part?: FilePart] {
    if (this.#next === 'record') return this.#takeHead(bytes)
    if (this.#next === 'names') return this.#takeNames(bytes)
    if (this.#next === 'length') return this.#takeLength(bytes)
    if (this.#next === 'content') return this.#takeContent(bytes)
    if (bytes.length > 0) throw new DecodeError('record', 0, 'bytes after the last one')
    return [0]
  }

  #takeHead(bytes: Buffer): [number] {
    if (bytes.length < headLength) return [0]
    const from = new Reader(bytes)
    const [number, mode, mtime] = [from.u32(), from.u32(), BigInt.asIntN(64, from.u64())]
    this.#lengths = [from.u32(), from.u32()]
    const kind = kinds[number]
    if (kind === undefined) throw new DecodeError('record', 0, `kind ${number}`)
    if (Math.max(...this.#lengths) >= longestName) throw new DecodeError('record', 16, 'a name is too long')
    this.#head = { kind, mode: mode & 0o7777, mtimeNs: mtime }
    this.#next = 'names'
    return [headLength]
  }

  #takeNames(bytes: Buffer): [number, FilePart?] {
    const [name, target] = this.#lengths
    if (bytes.length < name + target) return [0]
    const record = {
      ...this.#head!,
      name: bytes.toString('utf8', 0, name),
      target: bytes.toString('utf8', name, name + target),
    }
    this.#next = record.kind === 'last' ? 'nothing' : record.kind === 'file' ? 'length' : 'record'
    // Even names of no length take a step.
    return name + target === 0 ? this.#emptyNames(record, bytes) : [name + target, record]
  }

  #emptyNames(record: FileRecord, bytes: Buffer): [number, FilePart?] {
    if (record.kind !== 'last') throw new DecodeError('record', 16, 'it has no name')
    if (bytes.length > 0) throw new DecodeError('record', 0, 'bytes after the last one')
    return [0]
  }

  #takeLength(bytes: Buffer): [number, FilePart?] {
    if (bytes.length < 4) return [0]
    this.#left = bytes.readUInt32LE(0)
    if (this.#left > longestPiece) throw new DecodeError('record', 0, `a piece of ${this.#left} bytes`)
    this.#next = this.#left === 0 ? 'record' : 'content'
    return this.#left === 0 ? [4, { kind: 'end' }] : [4]
  }

  #takeContent(bytes: Buffer): [number, FilePart?] {
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    if (this.#left === 0) this.#next = 'length'
    return part.length === 0 ? [0] : [part.length, { kind: 'content', bytes: part }]
  }
}
