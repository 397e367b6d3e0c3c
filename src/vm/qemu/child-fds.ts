/** How a VM comes to life: it boots; it boots to be saved; it wakes up as one that was saved. */
export type Role = 'boot' | 'template' | 'clone'

/** Which file descriptor means what inside QEMU. */
export interface ChildFds {
  readonly monitor: number
  readonly console: number
  readonly agent: number
  readonly stream: number
  readonly kernel?: number
  readonly initramfs?: number
  readonly ram?: number
  /** Those of the NICs follow from here. */
  readonly firstNic: number
}

const wires = { monitor: 3, console: 4, agent: 5, stream: 6 }

/** The launcher numbers what it passes on from 3, in this order. */
export const childFds: Readonly<Record<Role, ChildFds>> = {
  boot: { ...wires, kernel: 7, initramfs: 8, firstNic: 9 },
  template: { ...wires, kernel: 7, initramfs: 8, ram: 9, firstNic: 10 },
  clone: { ...wires, ram: 7, firstNic: 8 },
}
