import { test as plainTest } from 'vitest'
import { type Census, takeCensus } from './census.ts'

export { type Census, takeCensus }

/** A `test` that ends with the census. Use the fixture `census` to check earlier, or to wait longer. */
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
