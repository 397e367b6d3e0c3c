import type { Nic } from '../base/index.ts'
import type { Identity, Memfd } from '../sys/index.ts'
import type { StateTransport } from './snapshot/transport.ts'

/** What executes the guest's instructions: the hardware through /dev/kvm, or QEMU's own translator. */
export type AccelKind = 'kvm' | 'tcg'

/**
 * The machine that QEMU emulates around the CPU. `microvm` is for KVM only: under TCG it hangs when the host
 * is busy.
 */
export type MachineType = 'q35' | 'pc' | 'microvm'

export type MonitorForm = 'option' | 'object'

/** The program that runs VMs: the result of `findQemu`. */
export interface Qemu {
  readonly path: string
  /** `7.2.22` */
  readonly version: string
  /** The build of that version: `Debian 1:7.2+dfsg-7`. Absent: it does not say. */
  readonly build?: string
  /** How its monitor is described: by `-mon` (the default), or as an object where QEMU has that type. */
  readonly monitor?: MonitorForm
}

/** A read-only disk. */
export interface Disk {
  /** A raw image: every byte of the file is one of the disk. */
  readonly path: string
  /** At most 20 characters: /sys/block/vdX/serial in the guest. */
  readonly serial: string
}

/** A file of a disk image. VMs read it, and none writes to it. */
export interface DiskFile {
  readonly path: string
  readonly format: 'qcow2' | 'raw'
  /** The file with its content, where that is apart (qcow2). */
  readonly dataFile?: string
}

/**
 * The disk that a guest starts from, the first of its disks. What a VM writes is in a layer of its own: a file without a
 * name, in the directory of its console log, that goes with it.
 */
export interface BootDisk {
  /** The image, its backing file, the backing file of that, and so on. */
  readonly files: readonly DiskFile[]
  /** An empty qcow2 image of the disk's size, to begin a layer with: of `makeEmptyLayer`. */
  readonly emptyLayer: Uint8Array
  /** An ISO image, the second disk: read alone. */
  readonly cdrom?: string
}

/** The properties that a VM shares with all clones of its template. They decide the template's key. */
export interface VmShape {
  /** Path of an uncompressed `vmlinux` with a PVH entry, or of a bzImage. Absent: the boot loader of its disk starts it. */
  readonly kernel?: string | undefined
  /** Absent for a kernel that has one inside, or mounts its root from a disk (`extraArgs`, `append`). */
  readonly initramfs?: string | undefined
  /** Added at the end of the kernel command line: `mtu1=9000 xcluster_PREFIX=fd00:`. */
  readonly append?: string
  /** Disks that several VMs read, and none writes. The guest finds one by its serial number. */
  readonly disks?: readonly Disk[]
  readonly bootDisk?: BootDisk
  readonly memoryMiB: number
  readonly vcpus: number
  readonly accel: AccelKind
  /** Default: the one that boots fastest (docs/vm.md). */
  readonly machine?: MachineType
  readonly nics: readonly Nic[]
  /** The user of QEMU. Absent: the user that starts it (rootless). */
  readonly identity?: Identity
  /** More QEMU options, appended unchanged. */
  readonly extraArgs?: readonly string[]
}

/** A saved VM, checked and in memory, ready to be cloned any number of times. */
export interface Template extends AsyncDisposable {
  /** SHA-256 in hex of everything that decides it. */
  readonly key: string
  readonly memoryMiB: number
  readonly nicCount: number
  /** The guest's RAM, sealed. Clones map it privately and share the pages that they do not write. */
  readonly ram: Memfd
  /** The state of its devices, sealed. */
  readonly state: Memfd
  /** What the VM had written to its {@link BootDisk}, a qcow2 image: clones have it below their own layers. */
  readonly layer?: { readonly fd: number }
  /** How this QEMU reads the state, which it said when it saved it. */
  readonly transport: StateTransport
  /** It was saved while its processors stood still: those of a clone do too, until the monitor command `cont`. */
  readonly isPaused?: boolean
  /** Frees the memory, once the clones that map it have ended too. */
  close(): Promise<void>
}

/** What a VM was at one moment, in open files. */
export interface SavedVm extends AsyncDisposable {
  readonly memoryMiB: number
  readonly nicCount: number
  /** Its RAM. */
  readonly ram: { readonly fd: number }
  /** The state of its devices. */
  readonly state: { readonly fd: number }
  readonly transport: StateTransport
}
