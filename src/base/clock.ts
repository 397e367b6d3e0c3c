/** Time as an argument, so that tests do not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. Where they count from has no meaning. */
  now(): number
  /** Runs `task` once after `ms`, never for Infinity; the returned function cancels it. */
  after(ms: number, task: () => void): () => void
}

/** The machine's own monotonic clock. A pending timer keeps the process alive. */
export const systemClock: Clock = machineClock(timer => timer)

/** The same, for limits of work that may end with the process: a pending timer does not keep it alive. */
export const idleClock: Clock = machineClock(timer => timer.unref())

function machineClock(pending: (timer: NodeJS.Timeout) => NodeJS.Timeout): Clock {
  return {
    now: () => performance.now(),
    after(ms, task) {
      let timer: NodeJS.Timeout | undefined
      const wait = (left: number) => {
        const step = Math.min(left, longestTimer)
        timer = pending(setTimeout(() => (left > step ? wait(left - step) : task()), step))
      }
      if (ms !== Number.POSITIVE_INFINITY) wait(ms)
      return () => clearTimeout(timer)
    },
  }
}

/** Milliseconds. Node makes 1 ms of a longer timer (nodejs.org/api/timers.html). */
const longestTimer = 2 ** 31 - 1

/** The time limit of some work. */
export interface Deadline {
  readonly clock: Clock
  readonly ms: number
  /** Makes the error for work that takes longer. */
  readonly late: () => Error
}

/** Counts down from `ms`. The returned function gives the milliseconds that are left, at least 1. */
export function countdown(clock: Clock, ms: number): () => number {
  const end = clock.now() + ms
  return () => Math.max(1, end - clock.now())
}

/** The result of `work`. When `ms` pass first, throws what `late()` returns; `work` itself continues. */
export async function within<T>(work: Promise<T>, { clock, ms, late }: Deadline): Promise<T> {
  let cancel = () => {}
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(late()))
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    cancel()
  }
}
