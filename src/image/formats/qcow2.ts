import { DecodeError, Reader } from '../../base/index.ts'

/** What the header of a qcow2 image says (QEMU `docs/interop/qcow2.txt`). */
export interface Qcow2Header {
  readonly version: 2 | 3
  /** Bytes of the disk. */
  readonly size: number
  /** The name of the file that has what this one lacks. */
  readonly backingFile?: string
  /** The format of that file: `qcow2`, `raw`. */
  readonly backingFormat?: string
  /** The file with the disk's content where that is apart: bit 2 of the incompatible features. */
  readonly hasDataFile: boolean
  readonly dataFile?: string
  readonly isEncrypted: boolean
  /** It was found to be inconsistent: bit 1. */
  readonly isCorrupt: boolean
  /** The numbers of the incompatible features that this reader does not know. */
  readonly unknownFeatures: readonly number[]
}

const magic = 0x514649fb // QFI\xfb
/** The header of version 2, and the smallest of version 3. */
const lengths = { 2: 72, 3: 104 } as const
const extensions = { end: 0, backingFormat: 0xe2792aca, dataFile: 0x44415441 } as const
/** Dirty, corrupt, external data file, compression type, extended L2 entries. */
const knownFeatures = 5
const features = { corrupt: 1, dataFile: 2 } as const

/** True when these bytes begin as a qcow2 image does. */
export function isQcow2(start: Uint8Array): boolean {
  return start.length >= 4 && new Reader(start).u32('magic', false) === magic
}

/**
 * Reads the header at the beginning of a qcow2 image. `start` has its first cluster (at most 2 MiB), or all of a shorter
 * file of `fileSize` bytes. Throws DecodeError for a header that is cut off or contradicts itself.
 */
export function readQcow2Header(start: Uint8Array, fileSize: number): Qcow2Header {
  const from = new Reader(start)
  const u32 = (what: string) => from.u32(what, false)
  const u64 = (what: string) => from.u64(what, false)
  if (u32('magic') !== magic) throw new DecodeError('qcow2 image', 0, 'it does not begin with QFI\\xfb')
  const version = u32('version')
  if (version !== 2 && version !== 3)
    throw new DecodeError('qcow2 image', 4, `its version is ${version}, and QEMU knows 2 and 3`)
  const backing = { at: Number(u64('backing file')), length: u32('backing file') }
  const clusterBits = u32('cluster bits')
  if (clusterBits < 9 || clusterBits > 21)
    throw new DecodeError('qcow2 image', 20, `its clusters have 2^${clusterBits} bytes`)
  const size = Number(u64('size'))
  const crypt = u32('encryption')
  const l1 = { entries: u32('L1 table'), at: Number(u64('L1 table')) }
  const counts = { at: Number(u64('reference counts')), clusters: u32('reference counts') }
  from.skip(12, 'snapshots')
  const incompatible = version === 3 ? u64('features') : 0n
  const length = version === 3 ? headerLength(start) : lengths[2]
  mustBeIn(fileSize, { name: 'L1 table', at: l1.at, bytes: l1.entries * 8 })
  mustBeIn(fileSize, {
    name: 'table of reference counts',
    at: counts.at,
    bytes: counts.clusters * 2 ** clusterBits,
  })
  if (size > 0 && l1.entries < Math.ceil(size / 2 ** (2 * clusterBits - 3)))
    throw new DecodeError('qcow2 image', 36, 'its L1 table is too small for its size')
  const has = (bit: number) => ((incompatible >> BigInt(bit)) & 1n) === 1n
  const { backingFormat, dataFile } = readExtensions(start, length)
  return {
    version,
    size,
    ...(backing.at > 0 && { backingFile: nameAt(start, backing) }),
    ...(backing.at > 0 && backingFormat !== undefined && { backingFormat }),
    hasDataFile: has(features.dataFile),
    ...(dataFile !== undefined && { dataFile }),
    isEncrypted: crypt !== 0,
    isCorrupt: has(features.corrupt),
    unknownFeatures: Array.from({ length: 64 }, (_, bit) => bit).filter(
      bit => bit >= knownFeatures && has(bit),
    ),
  }
}

function headerLength(start: Uint8Array): number {
  const length = new Reader(start, 100).u32('header length', false)
  if (length >= lengths[3] && length % 8 === 0 && length <= start.length) return length
  throw new DecodeError('qcow2 image', 100, `its header has ${length} bytes`)
}

function mustBeIn(fileSize: number, { name, at, bytes }: { name: string; at: number; bytes: number }): void {
  if (at + bytes <= fileSize) return
  throw new DecodeError(
    'qcow2 image',
    at,
    `its ${name} is behind the end of the file, which has ${fileSize} bytes`,
  )
}

/** At most 1,023 bytes, in the first cluster. */
function nameAt(start: Uint8Array, { at, length }: { at: number; length: number }): string {
  if (length === 0 || length > 1023 || at + length > start.length)
    throw new DecodeError('qcow2 image', 8, `the name of its backing file has ${length} bytes at ${at}`)
  return Buffer.from(start.subarray(at, at + length)).toString()
}

/** A type, a length and that many bytes, padded to eight: until one of type 0. */
function readExtensions(start: Uint8Array, first: number): { backingFormat?: string; dataFile?: string } {
  const from = new Reader(start, first)
  const found: { backingFormat?: string; dataFile?: string } = {}
  while (from.left >= 8) {
    const type = from.u32('extension', false)
    const length = from.u32('extension', false)
    if (type === extensions.end) break
    const text = () => Buffer.from(from.take(length, 'extension')).toString()
    if (type === extensions.backingFormat) found.backingFormat = text()
    else if (type === extensions.dataFile) found.dataFile = text()
    else from.skip(length, 'extension')
    from.skip(Math.min(from.left, (8 - (length % 8)) % 8), 'extension')
  }
  return found
}
