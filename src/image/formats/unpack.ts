import { gunzipSync } from 'node:zlib'
import { DecodeError, messageOf, Reader } from '../../base/index.ts'
import { unpackLz4 } from './lz4.ts'
import { unpackXz } from './xz.ts'

/** The expected size: at most `limit` bytes, and `size` where it is known from elsewhere. */
export interface Expected {
  readonly limit: number
  readonly size?: number
}

type Unpack = (bytes: Uint8Array, expected: Expected) => Uint8Array | Promise<Uint8Array>

/** Formats by their first bytes. */
const FORMATS: readonly { name: string; magic: readonly number[]; unpack: Unpack }[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: unpackGzip },
  { name: 'LZ4', magic: [0x02, 0x21, 0x4c, 0x18], unpack: (bytes, { limit }) => unpackLz4(bytes, limit) },
  {
    name: 'xz',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    unpack: (bytes, { limit }) => unpackXz(bytes, limit),
  },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unpackZstd },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: (bytes, { limit }) => unpackBzip2(bytes, limit) },
]

/** The name of the format of compressed bytes; undefined for others. */
export function compression(bytes: Uint8Array): string | undefined {
  return formatOf(bytes)?.name
}

function formatOf(bytes: Uint8Array): (typeof FORMATS)[number] | undefined {
  return FORMATS.find(each => each.magic.every((byte, index) => bytes[index] === byte))
}

/** Unpacks gzip, legacy LZ4, xz, zstd or bzip2. Throws when the output exceeds what is expected. */
export async function unpack(bytes: Uint8Array, expected: Expected): Promise<Uint8Array> {
  const format = formatOf(bytes)
  if (!format)
    throw new DecodeError('compressed data', 0, 'it is neither gzip, legacy LZ4, xz, zstd nor bzip2')
  try {
    return await format.unpack(bytes, expected)
  } catch (failure) {
    if (failure instanceof DecodeError) throw failure
    throw new DecodeError(format.name, 0, messageOf(failure))
  }
}

function unpackGzip(bytes: Uint8Array, { limit }: Expected): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: limit })
}

/**
 * Unpacks into a buffer allocated here: fzstd would allocate whatever the frame header claims. It is loaded when it is
 * used, which takes 3 ms.
 */
async function unpackZstd(bytes: Uint8Array, { limit, size: known }: Expected): Promise<Uint8Array> {
  const size = zstdSize(bytes) ?? known
  const { decompress, Decompress } = await import('fzstd')
  if (size === undefined) {
    const pieces = new Pieces('zstd', limit)
    new Decompress(piece => pieces.add(piece)).push(bytes, true)
    return pieces.joined()
  }
  if (size > limit) throw tooLarge('zstd', limit)
  return decompress(bytes, new Uint8Array(size))
}

async function unpackBzip2(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  // @ts-expect-error: the package has no types.
  const { default: Bunzip } = await import('seek-bzip')
  const pieces = new Pieces('bzip2', limit)
  let piece = Buffer.allocUnsafe(0)
  let used = 0
  const flush = () => {
    pieces.add(piece.subarray(0, used))
    piece = Buffer.allocUnsafe(1 << 20)
    used = 0
  }
  const writeByte = (byte: number) => {
    if (used === piece.length) flush()
    piece[used++] = byte
  }
  Bunzip.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { writeByte, flush: () => {} })
  flush()
  return pieces.joined()
}

/** Output whose length is not known beforehand. */
class Pieces {
  readonly #format: string
  readonly #limit: number
  readonly #pieces: Uint8Array[] = []
  #length = 0

  constructor(format: string, limit: number) {
    this.#format = format
    this.#limit = limit
  }

  add(piece: Uint8Array): void {
    this.#length += piece.length
    if (this.#length > this.#limit) throw tooLarge(this.#format, this.#limit)
    this.#pieces.push(piece)
  }

  joined(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }
}

function tooLarge(format: string, limit: number): DecodeError {
  return new DecodeError(format, 0, `it unpacks to more than ${limit} bytes`)
}

/** The unpacked size, where the frame header has it (RFC 8878 §3.1.1.1). */
function zstdSize(bytes: Uint8Array): number | undefined {
  const from = new Reader(bytes, 4)
  const descriptor = from.u8('zstd frame header')
  const single = (descriptor & 0x20) !== 0
  from.skip((single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!, 'zstd frame header')
  const form = descriptor >> 6
  if (form === 0) return single ? from.u8('zstd size') : undefined
  if (form === 1) return from.u16('zstd size') + 256
  return form === 2 ? from.u32('zstd size') : Number(from.u64('zstd size'))
}
