import type { Benchmark, Case } from './benchmark.ts'
import { built, dist } from './built.ts'
import { dnsAnswer, netlinkBatch, type Path, qmpTrip } from './trace/paths.ts'
import { buildWithoutChecks, copyOfBuild } from './trace/without-checks.ts'

/** How often a round does each, so that it takes some tens of milliseconds. */
const paths = {
  'netlink, a batch of 240 taps': { open: netlinkBatch, times: 40 },
  'DNS, an answer from the cache': { open: dnsAnswer, times: 100_000 },
  'QMP, a command and its reply': { open: qmpTrip, times: 4_000 },
}

/** The last one divides a build by its own copy: how far from 1 it lies is what the others cannot tell. */
const ratios = [
  ['off', 'without checks'],
  ['off, a copy', 'without checks'],
  ['off, a copy', 'off'],
] as const

/**
 * What tracing costs when it is off: our build beside a copy of it in which no check of a trace is left. The other side
 * of each path is in memory and answers at once. Then, for information, what it costs when all is printed to nowhere.
 */
const trace: Benchmark = {
  rounds: { usual: 31, quick: 5 },
  async prepare(scope) {
    const [without, again] = [buildWithoutChecks(scope), copyOfBuild(scope)]
    const off: Case[] = []
    const on: Case[] = []
    for (const [name, { open, times }] of Object.entries(paths)) {
      const [ours, unchecked, same] = [await open(dist), await open(without), await open(again)]
      const quiet = {
        off: () => perTime(ours, times),
        'without checks': () => perTime(unchecked, times),
        'off, a copy': () => perTime(same, times),
      }
      off.push(caseOf(name, quiet, ratios))
      const few = Math.ceil(times / 20)
      const loud = { on: () => printed(ours, few), off: () => perTime(ours, few) }
      on.push(caseOf(`${name}, all printed`, loud, [['on', 'off']]))
    }
    // Listening changes the channel's prototype, and so what the compiler knows of it: off comes before that.
    return { cases: [...off, ...on] }
  },
}
export default trace

type Run = () => Promise<number>
type Ratios = NonNullable<Case['ratios']>

function caseOf(name: string, ways: Readonly<Record<string, Run>>, ratios: Ratios): Case {
  const variants = Object.fromEntries(
    Object.entries(ways).map(([way, run]) => [way, async () => ({ [name]: await run() })]),
  )
  return { n: 1, units: { [name]: 'µs' }, variants, ratios }
}

async function perTime(path: Path, times: number): Promise<number> {
  const start = process.hrtime.bigint()
  await path(times)
  return Number(process.hrtime.bigint() - start) / 1000 / times
}

async function printed(path: Path, times: number): Promise<number> {
  const { printTraces, traceAreas } = await built('base')
  let characters = 0
  const end = printTraces(traceAreas, line => {
    characters += line.length
  })
  const each = await perTime(path, times).finally(end)
  if (characters === 0) throw new Error('nothing was printed')
  return each
}
