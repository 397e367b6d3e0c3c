/**
 * What QEMU needs for one network interface: what a fabric gives and a VM takes.
 *
 * ```ts
 * { args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'virtio-net-pci,netdev=net0,mac=…,romfile='], fds: [17] }
 * ```
 */
export interface Nic {
  /** QEMU options. `{fd0}`, `{fd1}` … stand for the numbers that `fds[0]`, `fds[1]` … get inside QEMU. */
  readonly args: readonly string[]
  /** Open file descriptors of this process, to be passed on. Whoever made the Nic closes them. */
  readonly fds: readonly number[]
  /** Its device is not one that templates have: whoever has it boots. */
  readonly cold?: boolean
  /** Its options are for a QEMU that may do what whoever starts it may do. */
  readonly privileged?: boolean
}
