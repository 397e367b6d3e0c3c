import type { ArchiveEntry } from '../formats/cpio.ts'
import { writeIso } from '../formats/iso9660.ts'
import type { IsoEntry } from '../formats/iso9660-record.ts'
import { moduleLists } from './depmod.ts'
import type { ModuleTree } from './modules.ts'

/** The disk's serial number, by which init knows it. */
export const modulesSerial = 'xcluster-modules'

/**
 * A disk image with the whole of `lib/modules/<version>`. All VMs read the same file, so the modules take no memory of a
 * guest before it loads them.
 */
export async function modulesDisk(tree: ModuleTree): Promise<{ image: Uint8Array; names: string[] }> {
  const modules = await tree.all()
  const files = modules.map(
    ({ file, bytes }): ArchiveEntry => ({ path: file, kind: 'file', mode: 0o644, content: bytes }),
  )
  const entries = [...files, ...moduleLists(modules, tree.builtin)] as IsoEntry[]
  return { image: writeIso(entries, { label: 'MODULES' }), names: modules.map(({ name }) => name) }
}
