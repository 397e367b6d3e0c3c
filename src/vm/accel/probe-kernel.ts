import { Writer } from '../../base/index.ts'

/** Where the probe's code is in the guest's memory: above the first MiB, where kernels are. */
const base = 0x100000

/** `mov al, 0x10; out 0xf4, al; hlt; jmp` back to the hlt. */
const code = Uint8Array.of(0xb0, 0x10, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd)

/** QEMU's exit status when the code has run: `isa-debug-exit` makes it (value << 1) | 1. */
export const probeStatus = (0x10 << 1) | 1

/** The QEMU device for the port that the code writes to. */
export const probeDevice = 'isa-debug-exit,iobase=0xf4,iosize=4'

const fileHeaderSize = 64
const segmentHeaderSize = 56
const noteOffset = fileHeaderSize + 2 * segmentHeaderSize
const codeOffset = 0x1000

/**
 * A kernel of three instructions: an ELF file with a PVH entry (XEN_ELFNOTE_PHYS32_ENTRY, xen
 * `public/elfnote.h`). QEMU and its firmware start it the same way as a real kernel.
 */
export function probeKernel(): Uint8Array {
  const note = new Writer()
  for (const word of [4, 8, 18]) note.u32(word) // size of the name, of the value; PHYS32_ENTRY
  note.put(Buffer.from('Xen\0'))
  note.u64(BigInt(base))

  const out = new Writer(codeOffset + code.length)
  fileHeader(out)
  segment(out, { type: 1, flags: 5, offset: codeOffset, address: base, size: code.length, align: 0x1000 })
  segment(out, { type: 4, flags: 4, offset: noteOffset, address: 0, size: note.length, align: 4 })
  out.put(note.done())
  out.reserve(codeOffset - out.length)
  out.put(code)
  return out.done().slice()
}

/** ELF64, little-endian, executable, x86-64 (elf(5)). */
function fileHeader(out: Writer): void {
  out.put(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1))
  out.reserve(9)
  for (const half of [2, 62]) out.u16(half)
  out.u32(1)
  for (const word of [base, fileHeaderSize, 0]) out.u64(BigInt(word))
  out.u32(0)
  for (const half of [fileHeaderSize, segmentHeaderSize, 2, 64, 0, 0]) out.u16(half)
}

interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly size: number
  readonly align: number
}

function segment(out: Writer, { type, flags, offset, address, size, align }: Segment): void {
  out.u32(type)
  out.u32(flags)
  for (const word of [offset, address, address, size, size, align]) out.u64(BigInt(word))
}
