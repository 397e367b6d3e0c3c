import { DecodeError, Reader } from '../../base/index.ts'
import { isElf, noteTypes, readElf } from './elf.ts'
import { unpack } from './unpack.ts'

/** Larger than any kernel: a file that claims more is damaged. */
const LIMIT = 512 << 20
const EM_X86_64 = 62
const XEN_ELFNOTE_PHYS32_ENTRY = 18

/** The setup header of a bzImage (kernel `Documentation/arch/x86/boot.rst`). */
export interface BzImage {
  /** In the form of `uname -r`. */
  readonly version: string
  /** The compressed vmlinux. */
  readonly payload: Uint8Array
}

export function readBzImage(bytes: Uint8Array): BzImage {
  const word = (at: number) => new Reader(bytes, at).u16('setup header')
  const long = (at: number) => new Reader(bytes, at).u32('setup header')
  if (word(0x1fe) !== 0xaa55 || long(0x202) !== 0x53726448)
    throw new DecodeError('kernel image', 0x1fe, 'it has no Linux setup header')
  if (word(0x206) < 0x208)
    throw new DecodeError('kernel image', 0x206, 'its boot protocol is older than 2.08')
  const start = ((new Reader(bytes, 0x1f1).u8() || 4) + 1) * 512 + long(0x248)
  const payload = new Reader(bytes, Math.min(start, bytes.length)).take(long(0x24c), 'kernel payload')
  return { version: versionAt(bytes, word(0x20e) + 0x200), payload }
}

function versionAt(bytes: Uint8Array, at: number): string {
  const text = new Reader(bytes, Math.min(at, bytes.length)).text().slice(0, 200)
  const version = /^[\w.+~-]+/.exec(text)?.[0]
  if (!version) throw new DecodeError('kernel image', at, 'it has no version text')
  return version
}

/** The version in a bare vmlinux, from its banner `Linux version 6.1.0-… (…`. */
function readVmlinuxVersion(bytes: Uint8Array): string {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('Linux version ')
  if (at < 0) throw new DecodeError('kernel image', 0, 'it has no version banner')
  return versionAt(bytes.subarray(0, at + 300), at + 'Linux version '.length)
}

/** The version of a kernel image in either form. */
export function kernelVersion(bytes: Uint8Array): string {
  return isElf(bytes) ? readVmlinuxVersion(bytes) : readBzImage(bytes).version
}

/** The kernel in the form that QEMU starts through PVH: an ELF file with the entry note. */
export async function extractVmlinux(bytes: Uint8Array): Promise<Uint8Array> {
  const vmlinux = isElf(bytes) ? bytes : await unpackPayload(readBzImage(bytes).payload)
  const elf = readElf(vmlinux)
  if (elf.machine !== EM_X86_64) throw new DecodeError('vmlinux', 18, `machine ${elf.machine} is not x86-64`)
  if (!noteTypes(elf, 'Xen').includes(XEN_ELFNOTE_PHYS32_ENTRY))
    throw new DecodeError('vmlinux', 0, 'it has no PVH entry note: the kernel was built without CONFIG_PVH')
  return vmlinux
}

/**
 * The kernel's build appends the unpacked length to all formats but gzip (`size_append` in
 * scripts/Makefile.lib), because the format itself may lack it.
 */
async function unpackPayload(payload: Uint8Array): Promise<Uint8Array> {
  const gzip = payload[0] === 0x1f && payload[1] === 0x8b
  const packed = gzip ? payload : payload.subarray(0, Math.max(0, payload.length - 4))
  const length = new Reader(payload, Math.max(0, payload.length - 4)).u32('unpacked length')
  if (length > LIMIT)
    throw new DecodeError('kernel payload', payload.length - 4, `its length of ${length} bytes is impossible`)
  const unpacked = await unpack(packed, { limit: length, size: length })
  if (unpacked.length !== length)
    throw new DecodeError('kernel payload', 0, `it unpacks to ${unpacked.length} bytes instead of ${length}`)
  return unpacked
}
