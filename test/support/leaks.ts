import { watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { test as plainTest } from 'vitest'
import { type Census, takeCensus } from './census.ts'

export { type Census, takeCensus }

// libuv opens one inotify descriptor, for all watches of a process, and keeps it (src/unix/linux.c).
watch(tmpdir()).close()

/** A `test` that compares the census at its end. Use the fixture `census` to compare earlier, or to wait longer. */
export const test = plainTest.extend<{ census: Census }>({
  census: [
    async ({ task: _ }, use) => {
      const census = await takeCensus()
      await use(census)
      await census.expectUnchanged()
    },
    { auto: true },
  ],
})
