import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, systemClock, until, version } from '../base/index.ts'
import { type Lab, type LabOptions, openLab, withTopologyRead } from '../cluster/index.ts'
import { processEnvironment } from '../host/index.ts'
import { resolveSettings, type SettingOptions } from '../plan/index.ts'
import { lockFile, makeDirectory } from '../sys/index.ts'
import { listSnapshots, removeSnapshot, snapshotsIn } from '../vm/index.ts'
import { TestingError } from './errors.ts'

export interface Saved {
  /** The first part of its name. */
  readonly snapshot: string
  readonly settings: SettingOptions
  /** The text of what prepares it. */
  readonly preparation: string
  /** How long another process may take to prepare it, in milliseconds. */
  readonly prepareMs: number
}

/** The name of the snapshot: another one when what it is made of has changed. */
export async function nameOf({ snapshot, settings, preparation }: Omit<Saved, 'prepareMs'>): Promise<string> {
  const options = await withTopologyRead(settings)
  const of = JSON.stringify([version, resolveSettings({ options }), preparation])
  return `${snapshot}-${createHash('sha256').update(of).digest('hex').slice(0, 8)}`
}

/**
 * The cluster from the disk. If it is not there, or cannot be used any more, it is prepared and saved, by one process at a
 * time, and earlier ones with the same first part are removed. Throws SNAPSHOT_NAME, WAIT_TIMEOUT, and what `prepare` throws.
 */
export async function openSaved(
  saved: Saved,
  options: LabOptions,
  prepare: () => Promise<Lab>,
): Promise<Lab> {
  const name = await nameOf(saved)
  const places = options.places ?? processEnvironment().places
  makeDirectory(places.runtime, 0o700)
  await using _lock = await locked(join(places.runtime, `.test-${name}.lock`), saved)
  try {
    return await openLab(name, options)
  } catch (failure) {
    if (!unusable.includes(codeOf(failure) ?? '')) throw failure
  }
  const lab = await prepare()
  try {
    await removeEarlier(snapshotsIn(places.state), saved.snapshot)
    await lab.save(name)
    return lab
  } catch (failure) {
    await lab.dispose()
    throw failure
  }
}

const unusable = ['SNAPSHOT_MISSING', 'SNAPSHOT_DAMAGED', 'SNAPSHOT_FOREIGN']

async function locked(path: string, { snapshot, prepareMs }: Saved): Promise<AsyncDisposable> {
  const options = { everyMs: 50, withinMs: prepareMs, why: 'lock' } as const
  const lock = await until(systemClock, () => lockFile(path), options)
  if (lock)
    return {
      async [Symbol.asyncDispose]() {
        await unlink(path).catch(() => {})
        await lock.close()
      },
    }
  throw new TestingError({
    code: 'WAIT_TIMEOUT',
    op: 'wait for snapshot',
    target: snapshot,
    reason: `another process is still preparing it after ${prepareMs / 1000} s`,
  })
}

/** One that cannot be used, or was made of something else. */
async function removeEarlier(root: string, snapshot: string): Promise<void> {
  const isOurs = (name: string) =>
    name.startsWith(`${snapshot}-`) && /^[\da-f]{8}$/.test(name.slice(snapshot.length + 1))
  const earlier = (await listSnapshots(root)).filter(({ name }) => isOurs(name))
  for (const { name } of earlier) await removeSnapshot(root, name)
}
