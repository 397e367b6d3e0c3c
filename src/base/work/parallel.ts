import { defer } from './deferred.ts'

export interface TurnsOptions {
  /** How many run at once; default: all. A function gets the number that run, and is called while items wait. */
  readonly limit?: number | ((underWay: number) => number)
  /**
   * Arranges a call of `look`, which evaluates the limit again, for when it changes although no work has ended. Returns
   * what cancels that call.
   */
  readonly again?: (look: () => void) => () => void
  /** After a failure, the waiting items are still started. */
  readonly goOn?: boolean
}

const never = () => () => {}

/**
 * Runs the work for every item, starting them in order, as many at once as the limit allows. Work that changes the
 * limit calls `look`. After a failure nothing more starts, unless `goOn` is set. The first failure is thrown when all
 * running work has ended.
 */
export async function inTurns<T>(
  items: readonly T[],
  work: (item: T, look: () => void) => Promise<void>,
  { limit = items.length, again = never, goOn = false }: TurnsOptions = {},
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const done = defer()
  let underWay = 0
  let callOff = () => {}
  const begin = async (item: T) => {
    underWay++
    try {
      await work(item, look)
    } catch (failure) {
      failures.push(failure)
      if (!goOn) waiting.length = 0
    }
    underWay--
    look()
  }
  const look = () => {
    callOff()
    if (waiting.length === 0 && underWay === 0) done.resolve()
    if (waiting.length === 0) return
    callOff = again(look)
    const most = typeof limit === 'number' ? limit : limit(underWay)
    while (waiting.length > 0 && underWay < most) void begin(waiting.shift() as T)
    if (waiting.length === 0) callOff()
  }
  look()
  await done.promise
  if (failures.length > 0) throw failures[0]
}
