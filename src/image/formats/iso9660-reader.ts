import { DecodeError } from '../../base/index.ts'
import { sector } from './iso9660-record.ts'

/** A file of an ISO image as a reader with Rock Ridge sees it. */
export interface IsoFile {
  readonly path: string
  readonly mode: number
  readonly target?: string
  readonly content: Uint8Array
}

/** Deeper than any image is: the levels of a damaged one may go round in a circle. */
const deepest = 32

/**
 * Everything in an image, read by its directory records and their Rock Ridge fields (ECMA-119 §9.1, RRIP 1991A). Entries
 * without a Rock Ridge name are left out. Throws DecodeError for a damaged image.
 */
export function readIso(image: Uint8Array): IsoFile[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length)
  if (bytes.toString('latin1', 16 * sector + 1, 16 * sector + 6) !== 'CD001')
    throw new DecodeError('ISO image', 16 * sector, 'it has no volume descriptor')
  const root = window(bytes, 16 * sector + 156, 34)
  const files = [
    ...below(bytes, { at: root.readUInt32LE(2), size: root.readUInt32LE(10), path: '', depth: 0 }),
  ]
  return files
}

interface Directory {
  readonly at: number
  readonly size: number
  readonly path: string
  readonly depth: number
}

function* below(image: Buffer, directory: Directory): Generator<IsoFile> {
  const start = directory.at * sector
  if (directory.depth > deepest) throw new DecodeError('ISO image', start, 'its directories are too deep')
  window(image, start, directory.size)
  for (let at = start; at < start + directory.size; ) {
    const length = image[at]!
    if (length === 0) at = (Math.floor(at / sector) + 1) * sector
    else {
      yield* fileOf(image, window(image, at, length), directory)
      at += length
    }
  }
}

function* fileOf(image: Buffer, record: Buffer, directory: Directory): Generator<IsoFile> {
  const [from, size, nameLength] = [record.readUInt32LE(2), record.readUInt32LE(10), record[32] ?? 0]
  const fields = fieldsOf(record.subarray(33 + nameLength + ((nameLength + 1) % 2)))
  const name = fields.get('NM')?.subarray(1).toString()
  if (name === undefined) return
  const path = directory.path === '' ? name : `${directory.path}/${name}`
  const modeField = fields.get('PX')
  const mode = modeField && modeField.length >= 4 ? modeField.readUInt32LE(0) : 0o100644
  const link = fields.get('SL')
  if ((record[25]! & 2) !== 0) {
    yield { path, mode, content: new Uint8Array(0) }
    yield* below(image, { at: from, size, path, depth: directory.depth + 1 })
  } else {
    const content = window(image, from * sector, size)
    yield { path, mode, content, ...(link && { target: targetOf(link.subarray(1)) }) }
  }
}

function fieldsOf(area: Buffer): Map<string, Buffer> {
  const fields = new Map<string, Buffer>()
  for (let at = 0; at + 4 <= area.length && area[at + 2]! >= 4; at += area[at + 2]!)
    fields.set(area.toString('latin1', at, at + 2), area.subarray(at + 4, at + area[at + 2]!))
  return fields
}

function targetOf(parts: Buffer): string {
  const words: string[] = []
  for (let at = 0; at + 2 <= parts.length; at += 2 + parts[at + 1]!) {
    const text = parts.toString('utf8', at + 2, at + 2 + parts[at + 1]!)
    const special: Readonly<Record<number, string>> = { 0: text, 2: '.', 4: '..', 8: '' }
    words.push(special[parts[at]!] ?? text)
  }
  return words.join('/')
}

function window(image: Buffer, at: number, length: number): Buffer {
  if (at + length > image.length) throw new DecodeError('ISO image', at, 'a part of it ends beyond the file')
  return image.subarray(at, at + length)
}
