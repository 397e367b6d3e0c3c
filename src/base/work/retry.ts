import type { Clock } from '../clock.ts'

/** Conditions without an event, which must be polled. Everything else is awaited by its event. */
export type NoEvent =
  /**
   * Another process releases the lock of a file. flock(2) refuses, or blocks its thread: one of libuv's four, which
   * cannot be interrupted, and which the process needs to exit. inotify reports the holder's last close, but before the
   * lock is released (`__fput`, fs/file_table.c): a check at that moment may still find it, and no second event comes.
   */
  | 'lock'
  /**
   * There is room in the queue of a listening unix socket. A non-blocking connect fails with EAGAIN (unix(7)), and its
   * socket is then not connecting, so poll(2) has nothing to report.
   */
  | 'room to connect'
  /**
   * A peer listens: at a unix socket that exists (bind(2) makes the file, listen(2) reports nothing), or at a TCP port of
   * any machine.
   */
  | 'listener'
  /**
   * A process that is not our child ends. Its sockets are closed before its last file is. Node lacks pidfd_open(2): a
   * client would have to load the addon for it, which takes longer than the end of such a process.
   */
  | 'process'
  /** A program in a guest ends: the agent reports it only when asked (guest-exec-status, qga/qapi-schema.json). */
  | 'guest program'
  /** Something is so in a guest, which a command there sees when it is asked. */
  | 'state of a guest'
  /** QEMU leaves the state `finish-migrate`: its event that a migration is over comes before (migration/migration.c). */
  | 'end of a migration'
  /** A job of an engine starts or ends: its programs report that only when asked (squeue(1)). */
  | 'job'
  /** A process opens a named pipe for writing (fifo(7)): a reader's open(2) waits for that without an end, and cannot be cancelled. */
  | 'writer'
  /** Something is idle for a while: that is the absence of events. */
  | 'idleness'

export interface RetryOptions {
  /** The time between two checks. A function gets the number of checks so far. */
  readonly everyMs: number | ((looks: number) => number)
  /** The last check is after this time. Default: there is no limit. */
  readonly withinMs?: number
  /** There is no check after this has aborted. */
  readonly signal?: AbortSignal | undefined
  readonly why: NoEvent
}

/**
 * Calls `look` at once, and again until it returns something truthy. Returns the last result, which is falsy when the
 * time is over or the signal has aborted. Only for conditions without an event.
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
    // Timers count whole milliseconds, so less than one cannot be waited for.
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
