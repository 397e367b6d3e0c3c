/**
 * Does the work for every item, in order, `limit` at a time. The first failure ends it: `stop` is called once, no
 * further work begins, and it is thrown when all that was under way has come to its end.
 */
export async function inTurns<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  { limit, stop = () => {} }: { limit: number; stop?: (failure: unknown) => void },
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item)
      } catch (failure) {
        waiting.length = 0
        if (failures.push(failure) === 1) stop(failure)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}
