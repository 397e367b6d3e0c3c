/** The guest's init loads these before anything else: they must be in the kernel or among its modules. */
export const BOOT_MODULES = ['virtio_pci', 'virtio_net', 'virtio_console']

/** With these it reads the disk that has all other modules. */
export const DISK_MODULES = ['virtio_blk', 'isofs']
