import { DecodeError, Reader } from '../../base/index.ts'

/** A section or a segment of an ELF file, by its place in the file. */
export interface ElfPart {
  readonly type: number
  /** Its address in memory. Kernel addresses exceed the range of a number. */
  readonly address: bigint
  readonly offset: number
  readonly size: number
}

export interface ElfSection extends ElfPart {
  readonly name: string
}

/** The tables of a 64-bit little-endian ELF file (elf(5)). The contents are not copied. */
export interface Elf {
  readonly bytes: Uint8Array
  readonly machine: number
  readonly segments: readonly ElfPart[]
  readonly sections: readonly ElfSection[]
}

const MAGIC = 0x464c457f
const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const PT_NOTE = 4
const SHT_NOBITS = 8

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new Reader(bytes).u32() === MAGIC
}

/** Reads the header and both tables. Every part is checked to be within the file. */
export function readElf(bytes: Uint8Array): Elf {
  if (!isElf(bytes)) throw new DecodeError('ELF file', 0, 'it has no ELF magic')
  const header = new Reader(bytes, 4)
  if (header.u16('ELF class') !== 0x0102)
    throw new DecodeError('ELF file', 4, 'it is not 64-bit little-endian')
  header.skip(12, 'ELF header')
  const machine = header.u16('ELF machine')
  header.skip(12, 'ELF header')
  const programs = { at: size(header), entry: 0, count: 0 }
  const sections = { at: size(header), entry: 0, count: 0 }
  header.skip(6, 'ELF header')
  programs.entry = header.u16()
  programs.count = header.u16()
  sections.entry = header.u16()
  sections.count = header.u16()
  const names = header.u16('ELF header')
  return {
    bytes,
    machine,
    segments: table(bytes, programs, 56).map(readSegment),
    sections: named(bytes, table(bytes, sections, 64).map(readSection), names),
  }
}

function size(from: Reader): number {
  const at = from.offset
  const value = from.u64()
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodeError('ELF file', at, `${value} is too large`)
  return Number(value)
}

/** The entries of one of the two tables, each with a reader of its own. */
function table(
  bytes: Uint8Array,
  where: { at: number; entry: number; count: number },
  need: number,
): Reader[] {
  if (where.count === 0) return []
  if (where.entry < need)
    throw new DecodeError('ELF file', where.at, `its table entries have only ${where.entry} bytes`)
  if (where.at + where.count * where.entry > bytes.length)
    throw new DecodeError('ELF file', where.at, 'a table ends beyond the file')
  return Array.from({ length: where.count }, (_, index) => {
    const start = where.at + index * where.entry
    return new Reader(bytes, start, start + where.entry)
  })
}

function readSegment(from: Reader): ElfPart {
  const type = from.u32()
  from.skip(4, 'segment flags')
  const offset = size(from)
  const address = from.u64()
  from.skip(8, 'physical address')
  return checked(from, { type, offset, address, size: size(from) })
}

function readSection(from: Reader): ElfPart & { nameAt: number } {
  const nameAt = from.u32()
  const type = from.u32()
  from.skip(8, 'section flags')
  const address = from.u64()
  const offset = size(from)
  const length = size(from)
  return { ...checked(from, { type, address, offset, size: type === SHT_NOBITS ? 0 : length }), nameAt }
}

function checked(from: Reader, part: ElfPart): ElfPart {
  if (part.size > 0 && part.offset + part.size > from.bytes.length)
    throw new DecodeError('ELF file', part.offset, `a part of ${part.size} bytes ends beyond the file`)
  return part
}

function named(bytes: Uint8Array, parts: (ElfPart & { nameAt: number })[], index: number): ElfSection[] {
  const strings = parts[index]
  return parts.map(({ nameAt, ...part }) => ({
    ...part,
    name: strings ? textAt(bytes, strings, nameAt) : '',
  }))
}

/** The NUL-terminated text at an offset of a string table. */
function textAt(bytes: Uint8Array, strings: ElfPart, at: number): string {
  if (at >= strings.size)
    throw new DecodeError('ELF file', strings.offset, `the string table has no offset ${at}`)
  return new Reader(bytes, strings.offset + at, strings.offset + strings.size).text()
}

/** The bytes of a section, e.g. `.modinfo`. */
export function sectionBytes(elf: Elf, name: string): Uint8Array | undefined {
  const section = elf.sections.find(each => each.name === name)
  return section && elf.bytes.subarray(section.offset, section.offset + section.size)
}

/**
 * The information for the dynamic linker: the interpreter, the needed libraries, and further places to look
 * for them.
 */
export interface Linkage {
  readonly interpreter: string | undefined
  readonly needed: readonly string[]
  readonly runPath: readonly string[]
}

const DT_NEEDED = 1n
const DT_STRTAB = 5n
const DT_RPATH = 15n
const DT_RUNPATH = 29n

/** Reads PT_INTERP and PT_DYNAMIC. A static program has neither. */
export function linkage(elf: Elf): Linkage {
  const interpreter = elf.segments.find(each => each.type === PT_INTERP)
  const tags = dynamicTags(elf)
  const stringsAt = tags.find(([tag]) => tag === DT_STRTAB)?.[1]
  const texts = (wanted: bigint) =>
    tags.filter(([tag]) => tag === wanted).map(([, at]) => stringAtAddress(elf, stringsAt, at))
  const runPath = texts(DT_RUNPATH)
  return {
    interpreter: interpreter && textAt(elf.bytes, interpreter, 0),
    needed: texts(DT_NEEDED),
    runPath: (runPath.length > 0 ? runPath : texts(DT_RPATH)).flatMap(path => path.split(':')),
  }
}

function dynamicTags(elf: Elf): [bigint, bigint][] {
  const dynamic = elf.segments.find(each => each.type === PT_DYNAMIC)
  if (!dynamic) return []
  const from = new Reader(elf.bytes, dynamic.offset, dynamic.offset + dynamic.size)
  const tags: [bigint, bigint][] = []
  while (from.left >= 16) {
    const tag = from.u64()
    if (tag === 0n) break
    tags.push([tag, from.u64()])
  }
  return tags
}

/** DT_STRTAB is an address in memory. The segment that contains it gives its place in the file. */
function stringAtAddress(elf: Elf, strings: bigint | undefined, at: bigint): string {
  const address = strings ?? -1n
  const holder = elf.segments.find(
    each => each.type === PT_LOAD && each.address <= address && address < each.address + BigInt(each.size),
  )
  if (!holder) throw new DecodeError('ELF file', 0, 'no segment contains its dynamic string table')
  const start = Number(address - holder.address)
  const part = { ...holder, offset: holder.offset + start, size: holder.size - start }
  return textAt(elf.bytes, part, at > BigInt(part.size) ? part.size : Number(at))
}

/** The types of the notes of one owner: `Xen` has the entry of a PVH boot (type 18). */
export function noteTypes(elf: Elf, owner: string): number[] {
  return elf.segments.filter(each => each.type === PT_NOTE).flatMap(part => notesIn(elf, part, owner))
}

function notesIn(elf: Elf, part: ElfPart, owner: string): number[] {
  const from = new Reader(elf.bytes, part.offset, part.offset + part.size)
  const types: number[] = []
  while (from.left >= 12) {
    const nameSize = from.u32()
    const valueSize = from.u32()
    const type = from.u32()
    const name = from.window(padded(nameSize, from), 'note name').text()
    from.skip(padded(valueSize, from), 'note value')
    if (name === owner) types.push(type)
  }
  return types
}

/** Names and values are padded to four bytes, except that the last one may end with the segment. */
function padded(length: number, from: Reader): number {
  const rounded = Math.ceil(length / 4) * 4
  return rounded > from.left && length <= from.left ? from.left : rounded
}
