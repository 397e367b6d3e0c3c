import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isSystemError, Scope, until } from '../../base/index.ts'
import { lockHolders, lockOpen, Memfd, SysError } from '../../sys/index.ts'
import { damaged } from '../template/errors.ts'
import { sha256 } from '../template/facts.ts'
import { decodeManifest, type Manifest, mebibyte } from './manifest.ts'
import { fileNames, type Held, type Loaded, loadBy, type MemoryNames } from './store.ts'

/** How long a process that reads the template is waited for. */
const readMs = 5000
const everyMs = 5

/**
 * Loads the template in `directory`, or takes over the memory of another process of this user that has loaded it: one copy
 * for all clusters of a machine. Undefined when there is none. Throws TEMPLATE_DAMAGED.
 *
 * Who holds its memory has a lock on its manifest, exclusive while it reads, then shared. The kernel says who that is, and
 * ends the lock with the process.
 */
export async function loadHeld(directory: string, key: string, clock: Clock): Promise<Loaded | undefined> {
  await using scope = new Scope()
  const manifest = await openManifest(directory)
  if (!manifest) return undefined
  scope.add(manifest)
  const text = await manifest.readFile('utf8')
  const names = namesOf(text)
  const isFirst = locked(manifest, 'exclusive')
  const isOneOfMany = !isFirst && (await lockedWithOthers(manifest, clock))
  const held = isOneOfMany ? takeOver(manifest, text, key) : undefined
  const loaded = await loadBy(text, { directory, key, names, held })
  if (isFirst) locked(manifest, 'shared')
  scope.move()
  return { ...loaded, lock: manifest }
}

/** Memory with these names has exactly what this manifest describes. */
function namesOf(manifest: string): MemoryNames {
  const content = sha256(manifest).slice(0, 32)
  return { ram: `xcluster-ram-${content}`, state: `xcluster-state-${content}` }
}

async function openManifest(directory: string): Promise<FileHandle | undefined> {
  try {
    return await open(join(directory, fileNames.manifest))
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT')) return undefined
    throw damaged(directory, failure)
  }
}

/** A file system without locks shares nothing. */
function locked({ fd }: FileHandle, kind: 'exclusive' | 'shared'): boolean {
  try {
    return lockOpen(fd, kind)
  } catch (failure) {
    if (failure instanceof SysError) return false
    throw failure
  }
}

async function lockedWithOthers(manifest: FileHandle, clock: Clock): Promise<boolean> {
  const tryLock = () => locked(manifest, 'shared') || undefined
  return (await until(clock, tryLock, { everyMs, withinMs: readMs, why: 'lock' })) ?? false
}

/** The memory of the first process that has all of it, sealed. */
function takeOver({ fd }: FileHandle, text: string, key: string): Held | undefined {
  const shape = shapeIn(text, key)
  if (!shape) return undefined
  const { memoryMiB, state } = shape
  const names = namesOf(text)
  for (const pid of lockHolders(fd)) {
    const ram = memoryOf(pid, names.ram, memoryMiB * mebibyte)
    const device = ram && memoryOf(pid, names.state, state.bytes)
    if (device) return { ram, state: device }
    void ram?.close()
  }
  return undefined
}

/** Undefined for a damaged one: reading the template says so. */
function shapeIn(text: string, key: string): Manifest | undefined {
  try {
    return decodeManifest(text, key)
  } catch {
    return undefined
  }
}

/** Undefined when the process has none, is another user's, or ends meanwhile. */
function memoryOf(pid: number, name: string, bytes: number): Memfd | undefined {
  try {
    const place = `/proc/${pid}/fd`
    const fd = readdirSync(place).find(each => linkOf(`${place}/${each}`) === `/memfd:${name} (deleted)`)
    return fd === undefined ? undefined : sealed(pid, Number(fd), bytes)
  } catch {
    return undefined
  }
}

/**
 * The owner of the memory is asked for, not that of the process: /proc/PID is root's where a process is not dumpable
 * (proc(5)).
 */
function sealed(pid: number, fd: number, bytes: number): Memfd | undefined {
  const writable = Memfd.of(pid, fd, 'r+')
  try {
    const { size, uid } = statSync(`/proc/self/fd/${writable.fd}`)
    if (size !== bytes || uid !== process.geteuid?.() || !writable.isSealed) return undefined
    return Memfd.of(process.pid, writable.fd)
  } finally {
    void writable.close()
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed since it was listed
  }
}
