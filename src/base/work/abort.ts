/**
 * The result of `work`. When the signal aborts first, throws what `aborted` makes of its reason; `work` itself
 * continues.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  aborted: (reason: unknown) => Error,
): Promise<T> {
  if (!signal) return work
  let leave = () => {}
  const abort = new Promise<never>((_, reject) => {
    leave = onAbort(signal, () => reject(aborted(signal.reason)))
  })
  try {
    return await Promise.race([work, abort])
  } finally {
    leave()
  }
}

/** Runs `task` when the signal aborts, at once when it has. The returned function takes that back. */
export function onAbort(signal: AbortSignal | undefined, task: () => void): () => void {
  if (signal?.aborted) task()
  else signal?.addEventListener('abort', task, { once: true })
  return () => signal?.removeEventListener('abort', task)
}
