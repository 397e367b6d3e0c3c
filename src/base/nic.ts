/**
 * What QEMU needs for one network interface. A fabric makes it and a VM uses it.
 *
 * ```ts
 * { args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'virtio-net-pci,netdev=net0,mac=…,romfile='], fds: [17] }
 * ```
 */
export interface Nic {
  /**
   * QEMU options. `{fd0}`, `{fd1}` … stand for the descriptor numbers that `fds[0]`, `fds[1]` … have inside
   * QEMU.
   */
  readonly args: readonly string[]
  /** Open file descriptors of this process for QEMU to inherit. The maker of the Nic closes them. */
  readonly fds: readonly number[]
  /** Templates do not have this device, so a VM with it boots instead of resuming from one. */
  readonly cold?: boolean
  /** These options need a QEMU with the privileges of the process that starts it. */
  readonly privileged?: boolean
}
