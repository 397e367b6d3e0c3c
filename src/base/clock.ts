/** Time as an argument, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds that only grow; their zero has no meaning. */
  now(): number
  /** Runs `task` once after `ms`; the returned function calls it off. */
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

/** How long something may take. */
export interface Deadline {
  readonly clock: Clock
  readonly ms: number
  /** The error when it takes longer. */
  readonly late: () => Error
}

/** What `work` gives, unless `ms` pass first: then what `late()` gives is thrown. `work` itself goes on. */
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
