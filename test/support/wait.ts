import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/base/index.ts'

/** Looks every few milliseconds until `look` gives something true, `withinMs` at most; gives the last look. */
export async function waitFor<T>(look: () => T | Promise<T>, withinMs = 2000): Promise<T> {
  const deadline = systemClock.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen || systemClock.now() >= deadline) return seen
    await pause(10)
  }
}
