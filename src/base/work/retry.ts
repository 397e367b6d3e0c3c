import type { Clock } from '../clock.ts'

/** What no event tells of, so that it is looked for again and again. All else is waited for by its event. */
export type NoEvent =
  /**
   * Another process lets go of a file's lock. flock(2) refuses, or blocks its thread: one of libuv's four, which
   * nothing calls back, and without which the process cannot exit. inotify tells of the holder's last close, but before
   * the lock goes (`__fput`, fs/file_table.c): a look at that moment may still find it, and no second event comes.
   */
  | 'lock'
  /**
   * There is room in the queue of a listening unix socket. A connect that does not block says EAGAIN (unix(7)), and
   * the socket that it was tried with is not connecting: poll(2) has nothing to tell of it.
   */
  | 'room to connect'
  /**
   * A process that is not our child ends. Its sockets are closed before its last file is. pidfd_open(2) is not in
   * Node: a client would have to load the addon for it, which takes longer than such an end.
   */
  | 'process'
  /** A program in a guest ends: the agent tells only if asked (guest-exec-status, qga/qapi-schema.json). */
  | 'guest program'
  /** Something does nothing for a while: that is what did not happen in a time. */
  | 'idleness'

export interface RetryOptions {
  /** From one look to the next; a function is told how many looks there were. */
  readonly everyMs: number | ((looks: number) => number)
  /** The last look is after this long; without, there is no last one. */
  readonly withinMs?: number
  /** No look after this. */
  readonly signal?: AbortSignal | undefined
  readonly why: NoEvent
}

/**
 * Looks at once, then again and again until `look` gives something true. Gives what the last look gave: when the time
 * is over or the signal has come, that is not true. For what has no event, and only for that.
 */
export async function until<T>(
  clock: Clock,
  look: () => T | Promise<T>,
  { everyMs, withinMs = Number.POSITIVE_INFINITY, signal }: RetryOptions,
): Promise<T> {
  const end = clock.now() + withinMs
  for (let looks = 1; ; looks++) {
    const seen = await look()
    const leftMs = end - clock.now()
    // Timers count whole milliseconds, and less than one is nothing to wait for.
    if (seen || leftMs < 1 || signal?.aborted) return seen
    const ms = typeof everyMs === 'number' ? everyMs : everyMs(looks)
    await pause(clock, Math.min(ms, leftMs), signal)
    if (signal?.aborted) return seen
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      callOff()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const callOff = clock.after(ms, end)
    signal?.addEventListener('abort', end)
  })
}
