/**
 * Does the work for every item, in order, `limit` at a time. After a failure no further work begins; it is thrown
 * when all that was under way has come to its end.
 */
export async function inTurns<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  { limit }: { limit: number },
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item)
      } catch (failure) {
        waiting.length = 0
        failures.push(failure)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}
