/** Time as an argument, so that tests do not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. Where they count from has no meaning. */
  now(): number
  /** Runs `task` once after `ms`; the returned function cancels it. */
  after(ms: number, task: () => void): () => void
}

/** The machine's own monotonic clock. A pending timer keeps the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}

/** The time limit of some work. */
export interface Deadline {
  readonly clock: Clock
  readonly ms: number
  /** Makes the error for work that takes longer. */
  readonly late: () => Error
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
