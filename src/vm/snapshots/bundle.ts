import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { namePattern } from '../../base/index.ts'
import { BundleReader, writeBundle, writeWhole } from '../snapshot/bundle-file.ts'
import { foreign } from './errors.ts'
import { filesOf, manifestName, type SnapshotManifest, whyUnusable } from './manifest.ts'
import { openSnapshot } from './open.ts'
import { directoryOf, makeSnapshot, readSnapshotIn } from './places.ts'

/** The line before its files: manifest.json, then RAM and state of each VM. */
interface Head {
  readonly format: 'xcluster snapshot'
  readonly v: 1
  readonly name: string
  readonly names: readonly string[]
  readonly sizes: readonly number[]
}

/**
 * Writes a snapshot to a file, for another machine of the same kind, after all of it has been checked. The file appears
 * under its name when it is complete.
 */
export async function exportSnapshot(root: string, name: string, path: string): Promise<void> {
  await using snapshot = await openSnapshot(root, name)
  const names = namesOf(snapshot.manifest)
  const paths = names.map(file => join(directoryOf(root, name), file))
  await writeWhole(path, out => writeBundle(out, { format: 'xcluster snapshot', v: 1, name, names }, paths))
}

/**
 * Adds an exported snapshot, after all of it has been checked, under the name that it had or another. Returns that name.
 * Throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN where no cluster could be forked from it, and SNAPSHOT_TAKEN.
 */
export async function importSnapshot(root: string, path: string, as?: string): Promise<string> {
  await using file = await open(path)
  const reader = new BundleReader<Head>({ path, file, kind: 'snapshot' }, 0)
  const { name: had, names, sizes } = await reader.head(readHead)
  const name = as ?? had
  await makeSnapshot(root, name, async draft => {
    for (const [index, size] of sizes.entries()) await reader.part(size, join(draft, names[index]!))
    await reader.end()
    const manifest = await readSnapshotIn(draft, name)
    if (namesOf(manifest).join() !== names.join())
      throw reader.refused('its files are not those of its manifest')
    const why = await whyUnusable(manifest)
    if (why !== undefined) throw foreign(name, why)
  })
  return name
}

function namesOf({ vms }: SnapshotManifest): string[] {
  return [manifestName, ...vms.flatMap(vm => Object.values(filesOf(vm)))]
}

function readHead(line: string): Head | undefined {
  const head = JSON.parse(line) as Head
  const { format, name, names, sizes, v } = head
  const isOurs = format === 'xcluster snapshot' && v === 1 && namePattern.test(name)
  const isFile = (file: string) => file === manifestName || /^(ram|state)-\d{1,3}$/.test(file)
  const isWhole = names.length === sizes.length && new Set(names).size === names.length
  return isOurs && isWhole && names.every(isFile) ? head : undefined
}
