import { messageOf, Scope } from '../src/base/index.ts'
import { takeCensus } from '../test/support/census.ts'
import type { Benchmark, Case, Sample } from './benchmark.ts'
import { mustBeGone, mustBeMade } from './net/made.ts'
import { contenders } from './net/ways.ts'
import { wiringOf } from './net/wiring.ts'

/** Makes and removes a cluster's network: by this project, by `ip`, and as fast as the kernel allows. */
const net: Benchmark = {
  rounds: { usual: 9, quick: 3 },
  needs: ['bridge', 'cc', 'ip', 'nft', 'nsenter'],
  async prepare(scope) {
    await loadEverything()
    const census = await takeCensus()
    const networks = scope.add(new Scope())
    return {
      cases: [await networkCase(240, networks), await networkCase(24, networks)],
      async failures() {
        await networks.close()
        return census.expectUnchanged().then(
          () => [],
          left => [messageOf(left)],
        )
      },
    }
  },
}
export default net

/** Node keeps open what it opens at first use: that is not a leak. */
async function loadEverything(): Promise<void> {
  await using scope = new Scope()
  const { variants } = await networkCase(3, scope)
  for (const run of Object.values(variants)) await run()
}

/**
 * Makes and removes `n` taps on three bridges. A round counts only if the network existed and was removed
 * completely.
 */
export async function networkCase(n: number, scope: Scope): Promise<Case> {
  const wiring = wiringOf(n)
  const variants: Record<string, () => Promise<Sample>> = {}
  for (const [name, start] of Object.entries(contenders)) {
    const contender = await start(wiring, scope)
    variants[name] = async () => {
      try {
        const create = await contender.create()
        await mustBeMade(contender.namespace(), wiring)
        const remove = await contender.delete()
        await mustBeGone(contender.namespace())
        return { ...(contender.load !== undefined && { load: contender.load }), create, delete: remove }
      } catch (failure) {
        throw new Error(`${name}, n = ${n}: ${messageOf(failure)}`, { cause: failure })
      }
    }
  }
  return {
    n,
    units: { load: 'ms', create: 'ms', delete: 'ms' },
    variants,
    ratios: ratiosOf(Object.keys(contenders)),
    ratiosOf: ['create', 'delete'],
  }
}

/** Ours beside each of the others; its first call beside the C floor. */
export function ratiosOf(names: readonly string[]): (readonly [string, string])[] {
  const others = names.filter(name => !name.startsWith('ours'))
  return [...others.map(other => ['ours', other] as const), ['ours-first', 'floor']]
}
