import { EncodeError, Writer } from '../../base/index.ts'
import type { ArchiveEntry } from './cpio.ts'

export const sector = 2048

/** What an ISO image can have. */
export type IsoEntry = Exclude<ArchiveEntry, { kind: 'device' }>

/** One record of a directory (ECMA-119 §9.1). */
export interface DirectoryEntry {
  /** Its name for readers without Rock Ridge; `\0` is the directory itself, `\x01` its parent. */
  readonly identifier: string
  /** Its real name; absent for the two above. */
  readonly name?: string
  readonly entry: IsoEntry
  /** Its first sector. */
  readonly at: number
  /** In bytes. */
  readonly size: number
  /** The record with which a reader finds out that Rock Ridge is used (SUSP §5.3, §5.5). */
  readonly isRoot?: boolean
}

export function rootEntry(at: number, size: number): Omit<DirectoryEntry, 'identifier'> {
  return { entry: { path: '', kind: 'directory', mode: 0o755 }, at, size }
}

/** A directory's content. A record does not cross the end of a sector. */
export function directoryBytes(entries: readonly DirectoryEntry[]): Uint8Array {
  const out = new Writer(sector)
  let used = 0
  for (const entry of entries) {
    const record = recordBytes(entry, true)
    if ((used % sector) + record.length > sector) {
      out.align(sector)
      used = Math.ceil(used / sector) * sector
    }
    out.put(record)
    used += record.length
  }
  out.align(sector)
  return out.done()
}

export function recordBytes(listed: DirectoryEntry, rockRidge: boolean): Uint8Array {
  const { identifier, entry, at, size } = listed
  const out = new Writer()
  out.u8(0) // its length, below
  out.u8(0)
  both32(out, at)
  both32(out, size)
  out.put(epoch)
  out.u8(entry.kind === 'directory' ? 2 : 0)
  out.u16(0)
  out.u16(1, true)
  out.u16(1, false)
  out.u8(identifier.length)
  out.text(identifier)
  out.align(2)
  if (rockRidge) out.put(systemUse(listed))
  const record = out.done()
  if (record.length > 254) throw new EncodeError(entry.path, 'its name is too long for an ISO image')
  record[0] = record.length
  return record
}

/** 1970-01-01 00:00:00 UTC: years from 1900, month, day, time, offset (ECMA-119 §9.1.5). */
const epoch = Uint8Array.of(70, 1, 1, 0, 0, 0, 0)

const fileTypes = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const

/** The fields of SUSP and Rock Ridge (RRIP 1991A §4.1). */
function systemUse({ name, entry, isRoot }: DirectoryEntry): Uint8Array {
  const out = new Writer()
  if (isRoot) field(out, 'SP', [0xbe, 0xef, 0])
  const mode = fileTypes[entry.kind] | (entry.kind === 'link' ? 0o777 : entry.mode)
  field(out, 'PX', numbers(mode, entry.kind === 'directory' ? 2 : 1, 0, 0))
  if (name !== undefined) field(out, 'NM', [0, ...encoder.encode(name)])
  if (entry.kind === 'link') field(out, 'SL', [0, ...components(entry.target)])
  if (isRoot) field(out, 'ER', [rrip.length, 0, 0, 1, ...rrip])
  const bytes = out.done()
  return bytes.length % 2 === 0 ? bytes : Uint8Array.of(...bytes, 0)
}

const encoder = new TextEncoder()
const rrip = encoder.encode('RRIP_1991A')

function field(out: Writer, signature: string, content: readonly number[]): void {
  if (content.length > 251)
    throw new EncodeError(signature, 'its name or target is too long for an ISO image')
  out.text(signature)
  out.u8(content.length + 4)
  out.u8(1)
  out.put(Uint8Array.from(content))
}

/** Each twice, little-endian and big-endian (ECMA-119 §7.3.3). */
function numbers(...values: readonly number[]): number[] {
  const out = new Writer()
  for (const value of values) both32(out, value)
  return [...out.done()]
}

function both32(out: Writer, value: number): void {
  out.u32(value, true)
  out.u32(value, false)
}

/** The parts of a link's target (RRIP 1991A §4.1.3). */
function components(target: string): number[] {
  const parts = target.split('/')
  return parts.flatMap((part, index) => {
    if (part === '' && index > 0) return []
    if (part === '') return [8, 0]
    if (part === '.') return [2, 0]
    if (part === '..') return [4, 0]
    const bytes = encoder.encode(part)
    return [0, bytes.length, ...bytes]
  })
}
