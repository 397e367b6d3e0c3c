import { constants, ftruncateSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, messageOf, Scope, XclusterError } from '../../base/index.ts'
import { type Memfd, makeDirectory, sealedMemfd } from '../../sys/index.ts'
import { damaged } from '../template/errors.ts'
import type { TemplateFacts } from '../template/facts.ts'
import { CheckedWriter, readChecked, writeAt } from './checked-file.ts'
import { keepBlocks, placer, readSome } from './extents.ts'
import {
  type Checked,
  decodeManifest,
  encodeManifest,
  type Manifest,
  mebibyte,
  pieceSize,
} from './manifest.ts'
import type { StateTransport } from './transport.ts'

export const fileNames = { manifest: 'manifest.json', ram: 'ram', state: 'state' } as const
/** Only those with a disk of their own have it. */
export const layerName = 'layer'

/** The directory of templates, below the cache directory. */
export function templatesIn(cacheDir: string): string {
  return join(cacheDir, 'templates')
}

/** Held by the process that makes or removes the template. */
export function lockOf(directory: string): string {
  return `${directory}.lock`
}

/** A frozen VM, still in memory. */
export interface Frozen {
  readonly facts: TemplateFacts
  readonly memoryMiB: number
  readonly nicCount: number
  readonly ram: Memfd
  readonly state: Uint8Array
  readonly transport: StateTransport
  /** A qcow2 image: what it had written to its disk. */
  readonly layer?: { readonly fd: number } | undefined
}

/**
 * Stores it in `directory`, all or nothing: it is written in a temporary directory, is on the disk before it
 * gets its name, and the manifest is written last. The caller holds the lock. Remains of a process that was
 * killed while saving are overwritten.
 */
export async function saveTemplate(directory: string, frozen: Frozen): Promise<Manifest> {
  const draft = await emptyDraft(directory)
  try {
    const manifest = await writeFiles(draft, frozen)
    await install(draft, directory)
    return manifest
  } catch (failure) {
    await rm(draft, { recursive: true, force: true })
    throw failure
  }
}

/** An empty directory beside `directory`, for writing its replacement. */
export async function emptyDraft(directory: string): Promise<string> {
  const draft = `${directory}.draft`
  await rm(draft, { recursive: true, force: true })
  makeDirectory(draft, 0o700)
  return draft
}

/** Makes the draft the template. */
export async function install(draft: string, directory: string): Promise<void> {
  await syncDirectory(draft)
  await rm(directory, { recursive: true, force: true })
  await rename(draft, directory)
  await syncDirectory(dirname(directory))
}

async function writeFiles(draft: string, { ram, state, layer, ...rest }: Frozen): Promise<Manifest> {
  const into = async <T>(name: string, write: (file: FileHandle) => Promise<T>) => {
    await using file = await open(join(draft, name), 'wx', 0o600)
    return await write(file)
  }
  const kept = await into(fileNames.state, async file => {
    const writer = new CheckedWriter(file)
    await writer.write(state)
    return writer.done()
  })
  const memory = await into(fileNames.ram, async file => {
    const writer = new CheckedWriter(file)
    const bytes = rest.memoryMiB * mebibyte
    const extents = await keepBlocks(ram.fd, { bytes }, block => writer.write(block))
    return { ...(await writer.done()), extents }
  })
  const disk = layer && (await into(layerName, file => copyWhole(layer.fd, file)))
  const manifest: Manifest = {
    ...rest,
    made: Date.now(),
    state: kept,
    ram: memory,
    ...(disk && { layer: disk }),
  }
  await into(fileNames.manifest, async file => {
    await file.writeFile(encodeManifest(manifest))
    await file.sync()
  })
  return manifest
}

/** Writes all of an open file into another. */
export async function copyWhole(fd: number, file: FileHandle): Promise<Checked> {
  const writer = new CheckedWriter(file)
  const piece = Buffer.allocUnsafe(pieceSize)
  for (let at = 0; ; ) {
    const { bytesRead } = await readSome(fd, piece, 0, pieceSize, at)
    if (bytesRead === 0) return writer.done()
    await writer.write(piece.subarray(0, bytesRead))
    at += bytesRead
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

/** The parts of a template that a clone needs, checked byte by byte on their way into sealed memory. */
export interface Loaded {
  readonly manifest: Manifest
  readonly ram: Memfd
  readonly state: Memfd
  /** Open for reading. */
  readonly layer?: FileHandle | undefined
  /** By its lock other processes find this one's memory. */
  readonly lock?: FileHandle | undefined
}

export async function closeLoaded({ ram, state, layer, lock }: Omit<Loaded, 'manifest'>): Promise<void> {
  await Promise.all([ram.close(), state.close(), layer?.close(), lock?.close()])
}

/**
 * Loads the template in `directory`; undefined when there is none. Throws TEMPLATE_DAMAGED when a byte
 * differs from what was written.
 */
export async function loadTemplate(directory: string, key: string): Promise<Loaded | undefined> {
  const text = await readFile(join(directory, fileNames.manifest), 'utf8').catch(failure => {
    if (isSystemError(failure, 'ENOENT')) return undefined
    throw damaged(directory, failure)
  })
  return text === undefined ? undefined : await loadBy(text, { directory, key })
}

/** The names of its memory, by which other processes find it. */
export interface MemoryNames {
  readonly ram: string
  readonly state: string
}

interface Source {
  readonly directory: string
  readonly key: string
  readonly names?: MemoryNames
  /** Its memory in another process, in place of reading the files. */
  readonly held?: Held | undefined
}

const usualNames: MemoryNames = { ram: 'xcluster-ram', state: 'xcluster-state' }

/** The same with the text of its manifest. */
export async function loadBy(
  text: string,
  { directory, key, names = usualNames, held }: Source,
): Promise<Loaded> {
  try {
    const manifest = decodeManifest(text, key)
    const loaded = await loadFiles(directory, manifest, { names, held })
    await touch(directory)
    return { manifest, ...loaded }
  } catch (failure) {
    // The limits of this machine do not mean that the template is damaged.
    if (isSystemError(failure, 'ENOSPC', 'ENOMEM', 'EMFILE', 'ENFILE')) throw failure
    throw failure instanceof XclusterError ? failure : damaged(directory, failure)
  }
}

/** The same from the frozen VM itself, whose memory is sealed and not copied. */
export async function loadedFrom(
  directory: string,
  { ram, state: bytes }: Frozen,
  manifest: Manifest,
): Promise<Loaded> {
  await using scope = new Scope()
  const layer = manifest.layer && scope.add(await open(join(directory, layerName), constants.O_RDONLY))
  const state = await sealedMemfd('xcluster-state', fd => writeAt(fd, bytes, 0))
  ram.seal()
  scope.move()
  return { manifest, ram, state, layer }
}

/** Memory of a template that another process has checked and sealed. */
export type Held = Pick<Loaded, 'ram' | 'state'>

interface From {
  readonly names: MemoryNames
  readonly held: Held | undefined
}

async function loadFiles(directory: string, manifest: Manifest, { names, held }: From) {
  await using scope = new Scope()
  const memory = held ?? (await loadMemory(directory, manifest, names))
  scope.add(memory.ram)
  scope.add(memory.state)
  const { layer } = manifest
  const disk = layer && scope.add(await openChecked(join(directory, layerName), layer))
  scope.move()
  return { ...memory, layer: disk }
}

async function loadMemory(
  directory: string,
  { ram, state, memoryMiB }: Manifest,
  names: MemoryNames,
): Promise<Held> {
  await using scope = new Scope()
  const from = async (name: string, checked: Checked, take: (piece: Buffer, at: number) => Promise<void>) => {
    await using file = await open(join(directory, name))
    await readChecked(file, checked, take).catch(failure => {
      throw new Error(`${name}: ${messageOf(failure)}`)
    })
  }
  const stateMemory = await sealedMemfd(names.state, fd =>
    from(fileNames.state, state, (piece, at) => writeAt(fd, piece, at)),
  )
  scope.add(stateMemory)
  const ramMemory = await sealedMemfd(names.ram, fd => {
    ftruncateSync(fd, memoryMiB * mebibyte)
    return from(
      fileNames.ram,
      ram,
      placer(ram.extents, (part, at) => writeAt(fd, part, at)),
    )
  })
  scope.move()
  return { ram: ramMemory, state: stateMemory }
}

/** A file that stays on the disk: its bytes are checked now. */
async function openChecked(path: string, checked: Checked): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY)
  try {
    await readChecked(file, checked, async () => {})
    return file
  } catch (failure) {
    await file.close()
    throw new Error(`${layerName}: ${messageOf(failure)}`)
  }
}

/** The manifest's modification time records when the template was last used. A failure to set it is ignored. */
async function touch(directory: string): Promise<void> {
  const now = new Date()
  await utimes(join(directory, fileNames.manifest), now, now).catch(() => {})
}
