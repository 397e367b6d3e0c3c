import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { inTurns, version } from '../../base/index.ts'
import type { AccelKind, Qemu, SavedVm } from '../shape.ts'
import { CheckedWriter } from '../snapshot/checked-file.ts'
import { keepBlocks } from '../snapshot/extents.ts'
import { mebibyte } from '../snapshot/manifest.ts'
import { copyWhole } from '../snapshot/store.ts'
import { machineFacts } from '../template/facts.ts'
import {
  encodeSnapshot,
  filesOf,
  format,
  manifestName,
  type SnapshotManifest,
  type StoredVm,
} from './manifest.ts'
import { makeSnapshot } from './places.ts'

/** VMs as they were at one moment, to be saved. */
export interface SavedVms {
  /** By the numbers of their nodes. */
  readonly vms: ReadonlyMap<number, Pick<SavedVm, 'memoryMiB' | 'nicCount' | 'ram' | 'state' | 'transport'>>
  /** Milliseconds between the first and the last that stood still. */
  readonly spreadMs: number
  /** Any JSON value that goes with them. */
  readonly about: unknown
  readonly qemu: Qemu
  readonly accel: AccelKind
}

/** A VM with its number. */
type Numbered = readonly [
  id: number,
  vm: Pick<SavedVm, 'memoryMiB' | 'nicCount' | 'ram' | 'state' | 'transport'>,
]

/** How many VMs are written at a time: one is compared while another is on its way to the disk. */
const atOnce = 2

/**
 * Saves VMs in `<root>/<name>/`. `write` is given the function that does it, once the name is this process's: so what
 * stands still for it does not wait. Throws SNAPSHOT_NAME, SNAPSHOT_TAKEN and SNAPSHOT_FAILED.
 */
export async function saveSnapshot(
  root: string,
  name: string,
  write: (
    save: (saved: SavedVms, signal?: AbortSignal) => Promise<SnapshotManifest>,
  ) => Promise<SnapshotManifest>,
): Promise<SnapshotManifest> {
  return await makeSnapshot(root, name, draft => write((saved, signal) => writeAll(draft, saved, signal)))
}

async function writeAll(
  draft: string,
  { vms, spreadMs, about, qemu, accel }: SavedVms,
  signal: AbortSignal | undefined,
): Promise<SnapshotManifest> {
  const facts = await machineFacts(qemu, accel)
  const stored = new Map<number, StoredVm>()
  const one = async (vm: Numbered) => {
    stored.set(vm[0], await writeVm(draft, vm, { base: baseOf(vm, vms), signal }))
  }
  await inTurns([...vms], one, { limit: atOnce })
  const all = [...vms.keys()].map(id => stored.get(id)!)
  const manifest = { format, xcluster: version, made: Date.now(), facts, spreadMs, about, vms: all }
  await into(draft, manifestName, async file => {
    await file.writeFile(encodeSnapshot(manifest))
    await file.sync()
  })
  return manifest
}

/** The first VM of its shape, whose RAM most likely has most in common with it. Undefined: it is the first. */
function baseOf([id, vm]: Numbered, vms: SavedVms['vms']): Numbered | undefined {
  const first = [...vms].find(
    ([, other]) => other.memoryMiB === vm.memoryMiB && other.nicCount === vm.nicCount,
  )
  return first && first[0] !== id ? first : undefined
}

async function writeVm(
  draft: string,
  [id, { ram, state, memoryMiB, nicCount, transport }]: Numbered,
  { base, signal }: { readonly base: Numbered | undefined; readonly signal: AbortSignal | undefined },
): Promise<StoredVm> {
  const names = filesOf({ id })
  const kept = await into(draft, names.state, file => copyWhole(state.fd, file))
  const memory = await into(draft, names.ram, async file => {
    const writer = new CheckedWriter(file)
    const what = { bytes: memoryMiB * mebibyte, base: base?.[1].ram.fd, signal }
    const extents = await keepBlocks(ram.fd, what, block => writer.write(block))
    return { ...(await writer.done()), ...(base && { base: base[0] }), extents }
  })
  return { id, memoryMiB, nicCount, transport, state: kept, ram: memory }
}

async function into<T>(draft: string, name: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  await using file = await open(join(draft, name), 'wx', 0o600)
  return await write(file)
}
