import type { ClusterTest, TestRunner } from '../src/testing/index.ts'
import type { Benchmark, Sample } from './benchmark.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

const size = { nvm: 4, nrouters: 2, smp: 1 }
/** Milliseconds in which a spare is made: rounds begin after that. */
const restMs = 4000
const inARow = 4

/**
 * What a test of a lab of six nodes pays besides its own body: from its call by the runner to its end, without the time in
 * which its body runs. The body runs a command on a node.
 */
const testing: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  async prepare(scope) {
    const suites = [await begin(0), await begin(1)] as const
    for (const suite of suites) scope.defer(() => suite.end())
    const [plain, spared] = suites
    const rested = (suite: Suite, tests: number) => async (): Promise<Sample> => {
      await new Promise(resolve => setTimeout(resolve, restMs))
      return await suite.round(tests)
    }
    const variants = {
      fork: rested(plain, 1),
      spare: rested(spared, 1),
      'forks in a row': rested(plain, inARow),
      'spares in a row': rested(spared, inARow),
    }
    const units = { overhead: 'ms', body: 'ms' } as const
    const ratios = [
      ['fork', 'spare'],
      ['forks in a row', 'spares in a row'],
    ] as const
    return { cases: [{ n: size.nvm + size.nrouters, units, variants, ratios }] }
  },
}
export default testing

interface Suite {
  /** Runs tests one after the other: what one pays, and how long its body takes. */
  round(tests: number): Promise<Sample>
  end(): Promise<void>
}

/** A file of tests, whose runner calls them when it is asked to. */
async function begin(spare: number): Promise<Suite> {
  const { clusterTest } = await built('testing')
  let bodyMs = 0
  let call: () => Promise<void> = async () => {}
  let end: () => Promise<void> = async () => {}
  const runner: TestRunner = {
    test: (_name, _options, run) => {
      call = () => run({})
    },
    after: task => {
      end = task
    },
  }
  const test: ClusterTest = clusterTest(runner, size, { spare })
  test('a command', async ({ vm }) => {
    const began = nowMs()
    await vm(1).succeed('true')
    bodyMs += nowMs() - began
  })
  return {
    async round(tests) {
      bodyMs = 0
      const began = nowMs()
      for (let count = 0; count < tests; count++) await call()
      return { overhead: (nowMs() - began - bodyMs) / tests, body: bodyMs / tests }
    },
    end: () => end(),
  }
}
