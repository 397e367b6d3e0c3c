import { gunzipSync } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
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
]

/** Unpacks gzip, legacy LZ4, xz or zstd. Throws when the output exceeds what is expected. */
export async function unpack(bytes: Uint8Array, expected: Expected): Promise<Uint8Array> {
  const format = FORMATS.find(each => each.magic.every((byte, index) => bytes[index] === byte))
  if (!format) throw new DecodeError('compressed data', 0, 'it is neither gzip, legacy LZ4, xz nor zstd')
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

/** Unpacks into a buffer allocated here: fzstd would allocate whatever the frame header claims. */
function unpackZstd(bytes: Uint8Array, { limit, size: known }: Expected): Uint8Array {
  const size = zstdSize(bytes) ?? known
  if (size === undefined) throw new DecodeError('zstd', 4, 'its header lacks the unpacked size')
  if (size > limit) throw new DecodeError('zstd', 4, `it unpacks to ${size} bytes, more than ${limit}`)
  return unzstd(bytes, new Uint8Array(size))
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
