import type { Nic } from '../base/index.ts'
import type { Identity, Memfd } from '../sys/index.ts'

/** What executes the guest's instructions: hardware through /dev/kvm, or QEMU's own translator. */
export type AccelKind = 'kvm' | 'tcg'

/** What QEMU emulates around the CPU. `microvm` is for KVM only: under TCG it hangs when the host is busy. */
export type MachineType = 'q35' | 'pc' | 'microvm'

/** The program that runs VMs, as `findQemu` gives it. */
export interface Qemu {
  readonly path: string
  /** `7.2.22` */
  readonly version: string
}

/** What a VM has in common with all clones of its template: it decides the template's key. */
export interface VmShape {
  /** Path of an uncompressed `vmlinux` with a PVH entry, or of a bzImage. */
  readonly kernel: string
  readonly initramfs: string
  /** Added at the end of the kernel command line: `mtu1=9000 xcluster_PREFIX=fd00:`. */
  readonly append?: string
  readonly memoryMiB: number
  readonly vcpus: number
  readonly accel: AccelKind
  /** Absent: what booted fastest (docs/vm.md). */
  readonly machine?: MachineType
  readonly nics: readonly Nic[]
  /** Who QEMU is for the kernel; absent: who started it (rootless). */
  readonly identity?: Identity
  /** More QEMU options, after ours, as they are. */
  readonly extraArgs?: readonly string[]
}

/** A VM as it was when it was saved, checked and in memory, ready to be cloned any number of times. */
export interface Template extends AsyncDisposable {
  /** SHA-256 of all that decides it, in hex. */
  readonly key: string
  readonly memoryMiB: number
  readonly nicCount: number
  /** The guest's RAM, sealed. Clones map it privately and share the pages that they do not write. */
  readonly ram: Memfd
  /** The state of its devices, sealed. */
  readonly state: Memfd
  /** Gives the memory back, once the clones that map it have gone too. */
  close(): Promise<void>
}
