import { type Clock, inTurns } from '../base/index.ts'
import type { Load, StartLimit } from './start-limit.ts'

export interface StartQueueOptions {
  readonly limit: StartLimit
  readonly clock: Clock
  readonly load: () => Load
  /** Whether waiting items still begin after one has failed. */
  readonly goOn?: boolean
}

/** How often the load is sampled, in milliseconds, while items wait to begin. */
const lookMs = 20

/** The work calls it at each milestone, with the milliseconds since its start. */
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
