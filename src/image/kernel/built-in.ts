import { settingText } from '../../base/index.ts'
import { ImageError } from '../errors.ts'
import { BOOT_MODULES, DISK_MODULES } from './module-lists.ts'

/** Drivers and file systems whose name in the kernel is not that of their module. */
const otherNames: Readonly<Record<string, string>> = { virtio_pci: 'virtio-pci', isofs: 'iso9660' }

/**
 * Those of the modules that guests need which are built into a kernel without a list of them. A driver registers itself
 * by its name, so a kernel that has the driver has that string, and one that has it as a module has not.
 */
export function builtIn(vmlinux: Uint8Array): string[] {
  const kernel = Buffer.from(vmlinux.buffer, vmlinux.byteOffset, vmlinux.length)
  return [...BOOT_MODULES, ...DISK_MODULES].filter(name => kernel.includes(`${otherNames[name] ?? name}\0`))
}

/** A kernel without modules lacks these drivers. */
export function withoutModules(
  image: string,
  { version, lacking }: { readonly version: string; readonly lacking: readonly string[] },
): ImageError {
  return new ImageError({
    code: 'KERNEL_MODULES_MISSING',
    kind: 'prerequisite',
    op: 'use kernel',
    target: image,
    reason: `it has no ${lacking.join(', ')} built in, and its modules, lib/modules/${version}, are nowhere`,
    remedy: `Give them (${settingText('modules')}), build ${lacking.length === 1 ? 'it' : 'them'} in, or omit ${settingText('kernel')}`,
  })
}
