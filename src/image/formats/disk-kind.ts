import { isQcow2 } from './qcow2.ts'

/** What a file is that was given as a disk image, by its first bytes. */
export type DiskKind =
  | { readonly kind: 'qcow2' }
  /** Every byte of the file is one of the disk. `boots`: it has a boot sector, of a BIOS or protecting a GPT. */
  | { readonly kind: 'raw'; readonly boots: boolean }
  | { readonly kind: 'other'; readonly name: string; readonly advice: string }
  | { readonly kind: 'unknown' }

/** How many bytes {@link diskKind} looks at. The superblock of btrfs is the last. */
export const diskKindBytes = 0x10_048

interface Mark {
  readonly at: number
  readonly bytes: string
}

/** File systems that a guest can have as its root, by what their superblocks begin with. */
const fileSystems: readonly Mark[] = [
  { at: 0x438, bytes: '\x53\xef' }, // ext2, ext3, ext4
  { at: 0, bytes: 'XFSB' },
  { at: 0x10_040, bytes: '_BHRfS_M' }, // btrfs
  { at: 0, bytes: 'hsqs' }, // squashfs
  { at: 0x400, bytes: '\xe2\xe1\xf5\xe0' }, // EROFS
  { at: 0x400, bytes: '\x10\x20\xf5\xf2' }, // F2FS
  { at: 0x8001, bytes: 'CD001' }, // ISO 9660
]

const convert = 'Convert it: qemu-img convert -O qcow2 FILE NEW.qcow2'
const unpack = 'Unpack it first'
const asRoot = 'An archive of files is a root: give it as that'

const others: readonly (Mark & { readonly name: string; readonly advice: string })[] = [
  { at: 0, bytes: 'KDMV', name: 'a disk of VMware (VMDK)', advice: convert },
  { at: 0, bytes: '# Disk Descriptor', name: 'the description of a disk of VMware', advice: convert },
  { at: 0x40, bytes: '\x7f\x10\xda\xbe', name: 'a disk of VirtualBox (VDI)', advice: convert },
  { at: 0, bytes: 'conectix', name: 'a virtual hard disk (VHD)', advice: convert },
  { at: 0, bytes: 'vhdxfile', name: 'a virtual hard disk (VHDX)', advice: convert },
  { at: 0, bytes: 'QED\0', name: 'a QED image', advice: convert },
  { at: 0, bytes: 'QFI\xfb\0\0\0\x01', name: 'a qcow image of version 1', advice: convert },
  { at: 0, bytes: '\x1f\x8b', name: 'compressed (gzip)', advice: unpack },
  { at: 0, bytes: '\xfd7zXZ\0', name: 'compressed (xz)', advice: unpack },
  { at: 0, bytes: '\x28\xb5\x2f\xfd', name: 'compressed (zstd)', advice: unpack },
  { at: 0, bytes: 'BZh', name: 'compressed (bzip2)', advice: unpack },
  { at: 0, bytes: 'PK\x03\x04', name: 'an archive (zip)', advice: unpack },
  { at: 0x101, bytes: 'ustar', name: 'a tar archive', advice: asRoot },
]

/** What the beginning of a file says. A raw image must begin with a boot sector or a file system. */
export function diskKind(start: Uint8Array): DiskKind {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length)
  const has = ({ at, bytes: mark }: Mark) => bytes.toString('latin1', at, at + mark.length) === mark
  const other = others.find(has)
  if (other) return { kind: 'other', name: other.name, advice: other.advice }
  if (isQcow2(start)) return { kind: 'qcow2' }
  const boots = has({ at: 510, bytes: '\x55\xaa' })
  return boots || fileSystems.some(has) ? { kind: 'raw', boots } : { kind: 'unknown' }
}
