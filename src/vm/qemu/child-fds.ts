/** How a VM starts: it boots, it boots to be saved as a template, or it resumes from a template. */
export type Role = 'boot' | 'template' | 'clone'

/** The file descriptors of QEMU by their meaning. */
export interface ChildFds {
  readonly monitor: number
  readonly console: number
  readonly agent: number
  readonly stream: number
  readonly kernel?: number
  readonly initramfs?: number
  readonly ram?: number
  /** The first of those for NICs. */
  readonly firstNic: number
}

const wires = { monitor: 3, console: 4, agent: 5, stream: 6 }

/** The launcher numbers inherited descriptors from 3, in this order. */
export const childFds: Readonly<Record<Role, ChildFds>> = {
  boot: { ...wires, kernel: 7, initramfs: 8, firstNic: 9 },
  template: { ...wires, kernel: 7, initramfs: 8, ram: 9, firstNic: 10 },
  clone: { ...wires, ram: 7, firstNic: 8 },
}
