/**
 * Which file descriptor means what inside QEMU. The launcher numbers what it passes on from 3, in this order;
 * those of the NICs follow.
 */
export const childFd = { monitor: 3, console: 4, agent: 5, kernel: 6, initramfs: 7, firstNic: 8 } as const
