import { pause, systemClock } from '../../src/base/index.ts'

/**
 * Calls `look` every few milliseconds until its result is true, for at most `withinMs`. Returns the last
 * result.
 */
export async function waitFor<T>(look: () => T | Promise<T>, withinMs = 2000): Promise<T> {
  const deadline = systemClock.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen || systemClock.now() >= deadline) return seen
    await pause(systemClock, 10)
  }
}
