import { basename } from 'node:path'
import { messageOf, reasonOf } from '../base/index.ts'
import { readIso, writeIso } from '../image/index.ts'
import { readOrdinaryFile } from '../sys/index.ts'
import { readArchive } from './archive.ts'
import { unusable } from './errors.ts'
import type { Named } from './merge.ts'

/** As many fit into no guest's memory. */
const mostBytes = 2 ** 31

/** An overlay's archive, as `tar -` has written it. */
export interface CdromArchive {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * An ISO image with overlays for guests: `01NAME.tar`, `02NAME.tar`, … The guest unpacks them in this order. `more` has
 * other files, such as a script.
 */
export function writeCdrom(
  archives: readonly CdromArchive[],
  { label, more = {} }: { readonly label: string; readonly more?: Readonly<Record<string, Uint8Array>> },
): Uint8Array {
  const file = (path: string, content: Uint8Array) => ({ path, kind: 'file', mode: 0o644, content }) as const
  const overlays = archives.map(({ name, bytes }, index) =>
    file(`${String(index + 1).padStart(2, '0')}${name}.tar`, bytes),
  )
  return writeIso([...overlays, ...Object.entries(more).map(([path, content]) => file(path, content))], {
    label,
  })
}

/** The overlays of an image at this path, in their order. Throws OVERLAY_UNUSABLE. */
export async function readCdrom(path: string): Promise<Named[]> {
  const bytes = await readOrdinaryFile(path, mostBytes).catch(failure => {
    throw unusable(path, reasonOf(failure))
  })
  const tars = archivesIn(bytes, path)
  return await Promise.all(
    tars.map(async ({ path: name, content }) => ({
      name: basename(name, '.tar').replace(/^\d\d/, ''),
      ...(await readArchive(content, `${path}: ${name}`)),
    })),
  )
}

function archivesIn(bytes: Uint8Array, path: string) {
  try {
    const files = readIso(bytes).filter(({ path: name }) => /^[^/]*\.tar$/i.test(name))
    return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  } catch (failure) {
    throw unusable(path, messageOf(failure))
  }
}
