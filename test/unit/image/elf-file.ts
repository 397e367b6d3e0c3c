import { Writer } from '../../../src/base/index.ts'

export interface Section {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Segment {
  readonly type: number
  readonly bytes: Uint8Array
  readonly address?: bigint
}

const HEADER = 64

/** A small ELF file with these parts, laid out as a linker does it, without code. */
export function elfFile(parts: { sections?: Section[]; segments?: Segment[]; machine?: number }): Uint8Array {
  const strings: Section = { name: '.shstrtab', bytes: namesOf(parts.sections ?? []) }
  const sections = [...(parts.sections ?? []), strings]
  const segments = parts.segments ?? []
  const out = new Writer()
  out.reserve(HEADER)
  const place = (bytes: Uint8Array) => {
    const at = out.length
    out.put(bytes)
    return at
  }
  const sectionsAt = sections.map(section => place(section.bytes))
  const segmentsAt = segments.map(segment => place(segment.bytes))
  const programTable = out.length
  segments.forEach((segment, i) => {
    putSegment(out, segment, segmentsAt[i]!)
  })
  const sectionTable = out.length
  sections.forEach((section, i) => {
    putSection(out, { ...section, nameAt: nameAt(strings.bytes, section.name), at: sectionsAt[i]! })
  })
  const file = out.done().slice()
  file.set(header({ programTable, sectionTable, segments, sections, machine: parts.machine ?? 62 }))
  return file
}

function namesOf(sections: Section[]): Uint8Array {
  return Buffer.from(['', ...sections.map(({ name }) => name), '.shstrtab', ''].join('\0'))
}

function nameAt(strings: Uint8Array, name: string): number {
  return Buffer.from(strings).indexOf(`\0${name}\0`) + 1
}

interface Tables {
  programTable: number
  sectionTable: number
  segments: unknown[]
  sections: unknown[]
  machine: number
}

function header({ programTable, sectionTable, segments, sections, machine }: Tables): Uint8Array {
  const out = new Writer()
  out.put(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  out.u16(3)
  out.u16(machine)
  out.u32(1)
  for (const value of [0, programTable, sectionTable]) out.u64(BigInt(value))
  out.u32(0)
  for (const value of [HEADER, 56, segments.length, 64, sections.length, sections.length - 1]) out.u16(value)
  return out.done()
}

function putSegment(out: Writer, { type, bytes, address = 0n }: Segment, at: number): void {
  out.u32(type)
  out.u32(0)
  for (const value of [BigInt(at), address, address]) out.u64(value)
  for (const value of [bytes.length, bytes.length, 1]) out.u64(BigInt(value))
}

function putSection(out: Writer, section: Section & { nameAt: number; at: number }): void {
  out.u32(section.nameAt)
  out.u32(1)
  for (const value of [0, 0, section.at, section.bytes.length]) out.u64(BigInt(value))
  out.u64(0n)
  for (const value of [1, 0]) out.u64(BigInt(value))
}

/** A kernel module with this information. */
export function moduleFile(info: Record<string, string | string[]>): Uint8Array {
  const lines = Object.entries(info).flatMap(([key, values]) =>
    [values].flat().map(value => `${key}=${value}\0`),
  )
  return elfFile({ sections: [{ name: '.modinfo', bytes: Buffer.from(lines.join('')) }] })
}

/** A vmlinux with its PVH entry note, and with these strings in its data. */
export function vmlinuxFile({
  owner = 'Xen',
  machine = 62,
  strings = [] as readonly string[],
} = {}): Uint8Array {
  const note = new Writer()
  for (const value of [owner.length + 1, 8, 18]) note.u32(value)
  note.put(Buffer.from(`${owner}\0`))
  note.align(4)
  note.u64(0x1000000n)
  const data = { name: '.rodata', bytes: Buffer.from(strings.map(text => `${text}\0`).join('')) }
  const sections = strings.length > 0 ? [data] : []
  return elfFile({ segments: [{ type: 4, bytes: note.done() }], sections, machine })
}

/** A bzImage around a payload and its unpacked length, in the layout of the kernel's build. */
export function bzImage(
  payload: Uint8Array,
  { version = '6.1.0-9-test', length = payload.length } = {},
): Uint8Array {
  const out = new Writer(4096)
  out.reserve(1024 + 512)
  const at = out.length
  out.put(payload)
  const image = Buffer.from(out.done())
  image.writeUInt8(1, 0x1f1)
  image.writeUInt16LE(0xaa55, 0x1fe)
  image.write('HdrS', 0x202)
  image.writeUInt16LE(0x20f, 0x206)
  image.writeUInt16LE(0x300 - 0x200, 0x20e)
  image.writeUInt32LE(at - 1024, 0x248)
  image.writeUInt32LE(length, 0x24c)
  image.write(`${version} (builder@host) #1 SMP\0`, 0x300)
  return image
}
