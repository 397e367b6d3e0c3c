import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/base/index.ts'

/** Calls `poll` every 10 ms until it returns a truthy value, for `withinMs` at most. Returns its last value. */
export async function waitFor<T>(poll: () => T | Promise<T>, withinMs = 2000): Promise<T> {
  const deadline = systemClock.now() + withinMs
  for (;;) {
    const value = await poll()
    if (value || systemClock.now() >= deadline) return value
    await pause(10)
  }
}
