import { test as plainTest } from 'vitest'
import { type Census, takeCensus } from './census.ts'

export { type Census, takeCensus }

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
