import { ftruncateSync } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, messageOf, Scope, XclusterError } from '../../base/index.ts'
import { type Memfd, sealedMemfd } from '../../sys/index.ts'
import { damaged } from '../template/errors.ts'
import type { TemplateFacts } from '../template/facts.ts'
import { CheckedWriter, readChecked, writeAt } from './checked-file.ts'
import { keepNonZero, placer } from './extents.ts'
import { type Checked, decodeManifest, encodeManifest, type Manifest, mebibyte } from './manifest.ts'

export const fileNames = { manifest: 'manifest.json', ram: 'ram', state: 'state' } as const

/** Where templates are, below the cache directory. */
export function templatesIn(cacheDir: string): string {
  return join(cacheDir, 'templates')
}

/** Held by whoever makes or removes the template. */
export function lockOf(directory: string): string {
  return `${directory}.lock`
}

/** A VM as it was frozen, still in memory. */
export interface Frozen {
  readonly facts: TemplateFacts
  readonly memoryMiB: number
  readonly nicCount: number
  readonly ram: Memfd
  readonly state: Uint8Array
}

/**
 * Keeps it in `directory`, all or nothing: written aside, on the disk before it gets its name, the manifest last.
 * The caller holds the lock. What somebody left who was killed while saving is overwritten.
 */
export async function saveTemplate(directory: string, frozen: Frozen): Promise<void> {
  const draft = await emptyDraft(directory)
  try {
    await writeFiles(draft, frozen)
    await install(draft, directory)
  } catch (failure) {
    await rm(draft, { recursive: true, force: true })
    throw failure
  }
}

/** A directory beside `directory` with nothing in it, in which to write what will replace it. */
export async function emptyDraft(directory: string): Promise<string> {
  const draft = `${directory}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o700 })
  return draft
}

/** The draft is the template from now on. */
export async function install(draft: string, directory: string): Promise<void> {
  await syncDirectory(draft)
  await rm(directory, { recursive: true, force: true })
  await rename(draft, directory)
  await syncDirectory(dirname(directory))
}

async function writeFiles(draft: string, { ram, state, ...rest }: Frozen): Promise<void> {
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
    const extents = await keepNonZero(ram.fd, rest.memoryMiB * mebibyte, block => writer.write(block))
    return { ...(await writer.done()), extents }
  })
  const manifest: Manifest = { ...rest, made: Date.now(), state: kept, ram: memory }
  await into(fileNames.manifest, async file => {
    await file.writeFile(encodeManifest(manifest))
    await file.sync()
  })
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

/** What a clone needs of a template, checked byte by byte on its way into sealed memory. */
export interface Loaded {
  readonly manifest: Manifest
  readonly ram: Memfd
  readonly state: Memfd
}

/** Loads what is in `directory`; undefined when nothing is. TEMPLATE_DAMAGED when not all of it is as written. */
export async function loadTemplate(directory: string, key: string): Promise<Loaded | undefined> {
  const text = await readFile(join(directory, fileNames.manifest), 'utf8').catch(failure => {
    if (isSystemError(failure, 'ENOENT')) return undefined
    throw damaged(directory, failure)
  })
  if (text === undefined) return undefined
  try {
    const manifest = decodeManifest(text, key)
    const loaded = await loadFiles(directory, manifest)
    await touch(directory)
    return { manifest, ...loaded }
  } catch (failure) {
    // This machine's limits say nothing about the template.
    if (isSystemError(failure, 'ENOSPC', 'ENOMEM', 'EMFILE', 'ENFILE')) throw failure
    throw failure instanceof XclusterError ? failure : damaged(directory, failure)
  }
}

async function loadFiles(directory: string, { ram, state, memoryMiB }: Manifest) {
  await using scope = new Scope()
  const from = async (name: string, checked: Checked, take: (piece: Buffer, at: number) => Promise<void>) => {
    await using file = await open(join(directory, name))
    await readChecked(file, checked, take).catch(failure => {
      throw new Error(`${name}: ${messageOf(failure)}`)
    })
  }
  const stateMemory = await sealedMemfd('xcluster-state', fd =>
    from(fileNames.state, state, (piece, at) => writeAt(fd, piece, at)),
  )
  scope.add(stateMemory)
  const ramMemory = await sealedMemfd('xcluster-ram', fd => {
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

/** The manifest's time of change says when a template was used last. It is no reason to fail that it cannot. */
async function touch(directory: string): Promise<void> {
  const now = new Date()
  await utimes(join(directory, fileNames.manifest), now, now).catch(() => {})
}
