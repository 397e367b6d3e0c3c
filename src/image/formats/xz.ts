import { crc32 } from 'node:zlib'
import { DecodeError, Reader, Writer } from '../../base/index.ts'
import { undoX86Filter } from './x86-filter.ts'

const STREAM_HEADER = 12
const CRC32_CHECK = 1
const X86_FILTER = 4
const LZMA2_FILTER = 0x21

/**
 * Unpacks .xz. The library cannot undo the x86 filter, with which all xz kernels for PCs are packed. Such a
 * file is rewritten without filter and check, and both are done here.
 */
export async function unpackXz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const block = readBlockHeader(bytes)
  if (block.filters[0] !== X86_FILTER) return decode(bytes, limit)
  const found = findBlock(bytes, block)
  const unpacked = undoX86Filter(await decode(withoutFilter(found), limit))
  if (found.crc !== undefined && crc32(unpacked) !== found.crc)
    throw new DecodeError('xz', 0, 'its checksum does not match')
  return unpacked
}

/** The library is loaded when it is used: that takes 3 ms, and most starts unpack nothing. */
async function decode(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const { default: xz } = await import('xz-decompress')
  const packed = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes)
      controller.close()
    },
  })
  const pieces: Uint8Array[] = []
  let total = 0
  for await (const piece of new xz.XzReadableStream(packed)) {
    total += piece.length
    if (total > limit) throw new DecodeError('xz', 0, `it unpacks to more than ${limit} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces, total)
}

interface BlockHeader {
  readonly size: number
  readonly filters: readonly number[]
  /** LZMA2's only property: the size of its dictionary. */
  readonly dictionary: number
}

/** The header of the first block (xz `doc/xz-file-format.txt` §3.1). */
function readBlockHeader(bytes: Uint8Array): BlockHeader {
  const from = new Reader(bytes, Math.min(STREAM_HEADER, bytes.length))
  const size = (from.u8('xz block header') + 1) * 4
  const flags = from.u8('xz block flags')
  if (flags & 0x40) number(from)
  if (flags & 0x80) number(from)
  const filters: number[] = []
  let dictionary = 0
  for (let i = 0; i <= (flags & 3); i++) {
    filters.push(number(from))
    const properties = from.take(number(from), 'xz filter')
    dictionary = properties[0] ?? 0
  }
  return { size, filters, dictionary }
}

/** A variable-length integer (§1.2), limited to those that a number can hold. */
function number(from: Reader): number {
  let value = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = from.u8('xz number')
    value += (byte & 127) * factor
    if (value > Number.MAX_SAFE_INTEGER)
      throw new DecodeError('xz', from.offset, 'it has a number that is too large')
    if (byte < 128) return value
  }
}

interface Block {
  readonly data: Uint8Array
  readonly dictionary: number
  readonly unpackedSize: number
  readonly crc: number | undefined
}

/** The only block, found through the index at the end of the file (§4). */
function findBlock(bytes: Uint8Array, { size, filters, dictionary }: BlockHeader): Block {
  if (filters.length !== 2 || filters[1] !== LZMA2_FILTER)
    throw new DecodeError('xz', 12, `its filters ${filters} are not x86 and LZMA2`)
  const footer = new Reader(bytes, bytes.length - 8)
  const indexAt = bytes.length - 12 - (footer.u32('xz index size') + 1) * 4
  footer.skip(1, 'xz stream flags')
  const check = footer.u8('xz check')
  if (check > CRC32_CHECK) throw new DecodeError('xz', bytes.length - 3, `its check ${check} is not CRC32`)
  const index = new Reader(bytes, Math.max(0, indexAt), bytes.length - 12)
  if (index.u8('xz index') !== 0 || number(index) !== 1)
    throw new DecodeError('xz', indexAt, 'it does not have exactly one block')
  const checkSize = check === CRC32_CHECK ? 4 : 0
  const length = number(index) - size - checkSize
  const unpackedSize = number(index)
  const from = new Reader(bytes, STREAM_HEADER + size)
  const data = from.take(length, 'xz block')
  from.skip(-length & 3, 'xz padding')
  return { data, dictionary, unpackedSize, crc: check === CRC32_CHECK ? from.u32('xz checksum') : undefined }
}

/** The same data as a stream of one block, with LZMA2 alone and without check (type 0). */
function withoutFilter({ data, dictionary, unpackedSize }: Block): Uint8Array {
  const out = new Writer(data.length + 128)
  out.put(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00))
  summed(out, 6, () => out.u16(0))
  const blockAt = out.length
  summed(out, blockAt, () => out.put(Uint8Array.of(2, 0, LZMA2_FILTER, 1, dictionary, 0, 0, 0)))
  out.put(data)
  const unpadded = out.length - blockAt
  out.align(4)
  const indexAt = out.length
  summed(out, indexAt, () => {
    out.put(Uint8Array.of(0, 1, ...encoded(unpadded), ...encoded(unpackedSize)))
    out.align(4)
  })
  const indexSize = out.length - indexAt
  const footer = new Writer(6)
  footer.u32(indexSize / 4 - 1)
  footer.u16(0)
  out.u32(crc32(footer.done()))
  out.put(footer.done())
  out.put(Buffer.from('YZ'))
  return out.done()
}

/** Runs `write`, then appends the checksum of everything from `start` on. */
function summed(out: Writer, start: number, write: () => void): void {
  write()
  out.u32(crc32(out.done().subarray(start)))
}

function encoded(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...encoded(Math.floor(value / 128))]
}
