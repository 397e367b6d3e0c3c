import { type Clock, inTurns } from '../base/index.ts'
import type { Load, StartLimit } from './start-limit.ts'

export interface StartQueueOptions {
  readonly limit: StartLimit
  readonly clock: Clock
  readonly load: () => Load
  /** After a failure the others that wait begin all the same. */
  readonly goOn?: boolean
}

/** While some wait to begin and nothing happens, how often the load is looked at. */
const lookMs = 20

/** Told by the work, whenever it has come a step further. */
export type Passed = (milestone: string, afterMs: number) => void

/** Does the work for every item as `inTurns` does, as many at once as the load of the machine lets begin. */
export function startInTurn<T>(
  items: readonly T[],
  work: (item: T, passed: Passed) => Promise<void>,
  { limit, clock, load, goOn = false }: StartQueueOptions,
): Promise<void> {
  const start = (item: T, look: () => void) =>
    work(item, (milestone, afterMs) => {
      limit.passed(milestone, afterMs)
      look()
    })
  return inTurns(items, start, {
    limit(underWay) {
      limit.heard(load(), underWay)
      return limit.most
    },
    again: look => clock.after(lookMs, look),
    goOn,
  })
}
