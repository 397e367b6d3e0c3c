import { unlink } from 'node:fs/promises'
import { type Clock, systemClock, until } from '../../base/index.ts'
import { type FileLock, lockFile } from '../../sys/index.ts'
import { startAborted } from '../errors.ts'
import { lockOf } from '../snapshot/store.ts'

export interface WaitOptions {
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
  /** Called with `begin` when another holder has the lock, and with `end` when it is ours. */
  readonly waiting?: (state: 'begin' | 'end') => void
}

/** Runs `work` with the template locked: no other process makes or removes it. `waited`: another holder just did. */
export async function withLock<T>(
  directory: string,
  work: (waited: boolean) => Promise<T>,
  patience: WaitOptions = {},
): Promise<T> {
  const path = lockOf(directory)
  const free = lockFile(path)
  const lock = free ?? (await lockWhenFree(path, patience))
  try {
    return await work(free === undefined)
  } finally {
    await unlink(path).catch(() => {}) // while it is ours: who waits locks a new one then
    await lock.close()
  }
}

async function lockWhenFree(
  path: string,
  { clock = systemClock, signal, waiting }: WaitOptions,
): Promise<FileLock> {
  waiting?.('begin')
  const lock = await until(clock, () => lockFile(path), { everyMs: 50, signal, why: 'lock' })
  if (!lock) throw startAborted('template', signal?.reason)
  waiting?.('end')
  return lock
}
