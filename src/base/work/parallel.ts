import { defer } from './deferred.ts'

export interface TurnsOptions {
  /** How many at once; all at once without. A function is told how many there are, and asked while others wait. */
  readonly limit?: number | ((underWay: number) => number)
  /** Calls `look`, which asks the limit again, for a change that no end of work goes with; gives what calls it off. */
  readonly again?: (look: () => void) => () => void
  /** After a failure the others that wait begin all the same. */
  readonly goOn?: boolean
}

const never = () => () => {}

/**
 * Does the work for every item, in order, as many at once as the limit lets begin; work that knows of a change calls
 * `look`. The first failure is thrown when all that was under way has come to its end; after one nothing more
 * begins, unless it is to go on.
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
