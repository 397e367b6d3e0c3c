import { ftruncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { inTurns, isSystemError, messageOf, Scope, XclusterError } from '../../base/index.ts'
import { isShortage, type Memfd, sealedMemfd } from '../../sys/index.ts'
import type { Template } from '../shape.ts'
import { readChecked, writeAt } from '../snapshot/checked-file.ts'
import { copyNonZero, placer } from '../snapshot/extents.ts'
import { type Checked, mebibyte } from '../snapshot/manifest.ts'
import { damaged, foreign, missing } from './errors.ts'
import { filesOf, type SnapshotManifest, type StoredVm, whyUnusable } from './manifest.ts'
import { clearRemains, directoryOf, isThere, namesIn, readSnapshot } from './places.ts'

/** A snapshot in memory, checked. Any number of clusters can be forks of it. */
export interface OpenSnapshot extends AsyncDisposable {
  readonly manifest: SnapshotManifest
  /** By the numbers of their nodes. */
  readonly vms: ReadonlyMap<number, Template>
}

/** How many VMs are read at a time: those that differ from another wait for that. */
const atOnce = 3

/**
 * Loads a snapshot into sealed memory, with each byte checked. Throws SNAPSHOT_NAME, SNAPSHOT_MISSING,
 * SNAPSHOT_DAMAGED, and SNAPSHOT_FOREIGN where it cannot go on.
 */
export async function openSnapshot(root: string, name: string): Promise<OpenSnapshot> {
  const manifest = await checkSnapshot(root, name)
  try {
    return { manifest, ...(await loadVms(directoryOf(root, name), manifest)) }
  } catch (failure) {
    if (failure instanceof XclusterError || isShortage(failure) || isSystemError(failure, 'ENOSPC'))
      throw failure
    if (await isThere(directoryOf(root, name))) throw damaged(name, failure)
    throw missing(name, await namesIn(root)) // it was removed meanwhile
  }
}

/** What a snapshot says of itself. Throws as {@link openSnapshot} does, but for its files: they are not read. */
export async function checkSnapshot(root: string, name: string): Promise<SnapshotManifest> {
  await clearRemains(root)
  const manifest = await readSnapshot(root, name)
  const why = await whyUnusable(manifest)
  if (why === undefined) return manifest
  throw foreign(name, why)
}

async function loadVms(
  directory: string,
  { vms }: SnapshotManifest,
): Promise<Pick<OpenSnapshot, 'vms' | typeof Symbol.asyncDispose>> {
  await using scope = new Scope()
  const loaded = new Map<number, Template>()
  const load = async (vm: StoredVm) => {
    const template = await loadVm(directory, vm, loaded)
    loaded.set(vm.id, scope.add(template))
  }
  const isBase = ({ ram }: StoredVm) => ram.base === undefined
  await inTurns(vms.filter(isBase), load, { limit: atOnce })
  await inTurns(
    vms.filter(vm => !isBase(vm)),
    load,
    { limit: atOnce },
  )
  const opened = scope.move()
  const inOrder = new Map(vms.map(({ id }) => [id, loaded.get(id)!]))
  return { vms: inOrder, [Symbol.asyncDispose]: () => opened.close() }
}

async function loadVm(
  directory: string,
  { id, memoryMiB, nicCount, transport, ram, state }: StoredVm,
  loaded: ReadonlyMap<number, Template>,
): Promise<Template> {
  const names = filesOf({ id })
  await using scope = new Scope()
  const stateMemory = await sealedMemfd('xcluster-state', fd =>
    from(directory, names.state, { checked: state, take: (piece, at) => writeAt(fd, piece, at) }),
  )
  scope.add(stateMemory)
  const ramMemory = await sealedMemfd('xcluster-ram', async fd => {
    const bytes = memoryMiB * mebibyte
    ftruncateSync(fd, bytes)
    const base = ram.base === undefined ? undefined : loaded.get(ram.base)!
    if (base) await copyNonZero(base.ram.fd, fd, bytes)
    const take = placer(ram.extents, (part, at) => writeAt(fd, part, at))
    await from(directory, names.ram, { checked: ram, take })
  })
  scope.move()
  return pausedTemplate({ id, memoryMiB, nicCount, transport }, { ram: ramMemory, state: stateMemory })
}

/** What a VM of a snapshot is to its forks. */
export function pausedTemplate(
  { id, ...shape }: Pick<StoredVm, 'id' | 'memoryMiB' | 'nicCount' | 'transport'>,
  { ram, state }: { readonly ram: Memfd; readonly state: Memfd },
): Template {
  const close = async () => {
    await Promise.all([ram.close(), state.close()])
  }
  return { key: `saved ${id}`, ...shape, ram, state, isPaused: true, close, [Symbol.asyncDispose]: close }
}

interface Reading {
  readonly checked: Checked
  readonly take: (piece: Buffer, at: number) => Promise<void>
}

async function from(directory: string, name: string, { checked, take }: Reading): Promise<void> {
  await using file = await open(join(directory, name))
  await readChecked(file, checked, take).catch(failure => {
    throw new Error(`${name}: ${messageOf(failure)}`)
  })
}
