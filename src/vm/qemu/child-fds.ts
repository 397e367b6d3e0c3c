/**
 * How a VM starts: it boots, it boots to be saved as a template, it resumes from a template, or it resumes from one to
 * be saved as another.
 */
export type Role = 'boot' | 'template' | 'clone' | 'derived'

/** The file descriptors of QEMU by their meaning. */
export interface ChildFds {
  readonly monitor: number
  readonly console: number
  readonly agent: number
  readonly stream: number
  readonly kernel?: number
  readonly ram?: number
  /** The state of its devices that it resumes with. */
  readonly state?: number
  /** Where it writes that state when it is saved. */
  readonly saved?: number
  /** The first of those for NICs. That of an initramfs, if there is one, comes after them, and then those of disks. */
  readonly firstNic: number
}

export const wires = { monitor: 3, console: 4, agent: 5, stream: 6 }

/** The launcher numbers inherited descriptors from 3, in this order. */
export const childFds: Readonly<Record<Role, ChildFds>> = {
  boot: { ...wires, kernel: 7, firstNic: 8 },
  template: { ...wires, kernel: 7, ram: 8, saved: 9, firstNic: 10 },
  clone: { ...wires, ram: 7, state: 8, firstNic: 9 },
  derived: { ...wires, ram: 7, state: 8, saved: 9, firstNic: 10 },
}

/** Those of a VM: one that its disk boots inherits no kernel. */
export function fdsOf(role: Role, { kernel }: { readonly kernel?: string | undefined }): ChildFds {
  if (role !== 'boot' || kernel !== undefined) return childFds[role]
  return { ...wires, firstNic: childFds.boot.kernel! }
}
