import { messageOf, Scope } from '../src/base/index.ts'
import { takeCensus } from '../test/support/census.ts'
import type { Benchmark, Case, Sample } from './benchmark.ts'
import { mustBeGone, mustBeMade } from './net/made.ts'
import { ways } from './net/ways.ts'
import { wiringOf } from './net/wiring.ts'

/** Making and removing a cluster's network: by us, by `ip`, and as fast as the kernel lets anybody. */
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

/** What Node opens at the first use of something stays open: that is no leak. */
async function loadEverything(): Promise<void> {
  await using scope = new Scope()
  const { variants } = await networkCase(3, scope)
  for (const run of Object.values(variants)) await run()
}

/** So many taps on three bridges, made and removed again. Nothing counts that was not there, or did not go. */
export async function networkCase(n: number, scope: Scope): Promise<Case> {
  const wiring = wiringOf(n)
  const variants: Record<string, () => Promise<Sample>> = {}
  for (const [name, start] of Object.entries(ways)) {
    const way = await start(wiring, scope)
    variants[name] = async () => {
      try {
        const create = await way.create()
        await mustBeMade(way.namespace(), wiring)
        const remove = await way.delete()
        await mustBeGone(way.namespace())
        return { ...(way.load !== undefined && { load: way.load }), create, delete: remove }
      } catch (failure) {
        throw new Error(`${name}, n = ${n}: ${messageOf(failure)}`, { cause: failure })
      }
    }
  }
  return {
    n,
    units: { load: 'ms', create: 'ms', delete: 'ms' },
    variants,
    ratios: ratiosOf(Object.keys(ways)),
    ratiosOf: ['create', 'delete'],
  }
}

/** Ours beside each of the others; its first call beside what the kernel takes. */
export function ratiosOf(names: readonly string[]): (readonly [string, string])[] {
  const others = names.filter(name => !name.startsWith('ours'))
  return [...others.map(other => ['ours', other] as const), ['ours-first', 'floor']]
}
