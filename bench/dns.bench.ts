import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Case, Sample, Unit } from './benchmark.ts'
import { checkAnswers, checkMisses } from './dns/answers.ts'
import { type Load, load, percentile } from './dns/load.ts'
import {
  programs,
  type Running,
  serverResources,
  startDnsmasq,
  startNsd,
  startOurs,
  startUnbound,
} from './dns/servers.ts'
import { names, writeAll, writeMisses, writeQuestions } from './dns/zone.ts'

const seconds = 2
/** Slow enough that nothing is lost. */
const once = { seconds: 60, clients: 4, outstanding: 20, once: true }
/** So few names that they fit into any processor's cache. */
const few = 100

/**
 * Forwarders behind the same authoritative server, queried by dnsperf: the server runs on one core, dnsperf
 * on the other. `n` is the number of names in the queries. A wrong answer makes the run fail.
 */
const dns: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: programs,
  async prepare(scope) {
    const host = serverResources(scope)
    const { directory } = host
    const nsd = await startNsd(host)
    const ours = await startOurs(host, nsd.port, ['--cache-size', '20000'])
    const logged = await startOurs(host, nsd.port, ['--cache-size', '20000', '--log', join(directory, 'log')])
    const dnsmasq = await startDnsmasq(host, nsd.port)
    const unbound = await startUnbound(host, nsd.port)
    const wrong: string[] = []
    const bench = new Rounds(directory, wrong)
    const cases = [
      bench.cached(
        { ours: ours, 'ours, logged': logged, dnsmasq, unbound },
        { name: 'UDP', among: few, clients: 10, outstanding: 100 },
      ),
      bench.cached({ ours, dnsmasq, unbound }, { name: 'UDP', among: names, clients: 10, outstanding: 100 }),
      bench.cached(
        { ours, unbound },
        { name: 'TCP, pipelined', among: few, clients: 4, outstanding: 400, tcp: true },
      ),
      bench.cached(
        { ours, unbound },
        { name: 'TCP, one at a time', among: few, clients: 50, outstanding: 50, tcp: true },
      ),
      bench.misses({ ours, dnsmasq, unbound }),
      bench.latency({ ours, dnsmasq, unbound }),
    ]
    return { cases: selected(cases), failures: () => wrong }
  },
}
export default dns

/** By words in the names of its figures. */
const wanted = process.env.XCLUSTER_BENCH_CASE?.split(',')
function selected(cases: readonly Case[]): Case[] {
  const figuresOf = ({ units }: Case) => Object.keys(units)
  const isWanted = (name: string) => wanted?.some(word => name.includes(word)) ?? true
  const found = cases.filter(each => figuresOf(each).some(isWanted))
  if (found.length === 0)
    throw new Error(`XCLUSTER_BENCH_CASE names none of: ${cases.flatMap(figuresOf).join(', ')}`)
  return found
}

type Servers = Readonly<Record<string, Running>>

interface Kind extends Pick<Load, 'clients' | 'outstanding' | 'tcp'> {
  readonly name: string
  readonly among: number
}

/** Makes cases, and collects wrong answers. */
class Rounds {
  readonly #directory: string
  readonly #wrong: string[]
  /** Half of what the slowest server answers over UDP is a load that all can handle. */
  #slowest = Number.POSITIVE_INFINITY
  #misses = 0

  constructor(directory: string, wrong: string[]) {
    this.#directory = directory
    this.#wrong = wrong
  }

  cached(servers: Servers, { name, among, tcp = false, ...others }: Kind): Case {
    const file = writeQuestions(this.#directory, among, 5 * names)
    const all = writeAll(this.#directory, among)
    const warm = new Set<Running>()
    const run = async (variant: string, server: Running): Promise<Sample> => {
      // On a busy machine one round does not reach all of the names.
      if (!warm.has(server)) await load(server, { ...once, file: all })
      warm.add(server)
      const asked = load(server, { file, seconds, tcp, ...others })
      this.#note(variant, await checkAnswers(server.port, { among, tcp }))
      const outcome = await asked
      if (!tcp) this.#slowest = Math.min(this.#slowest, outcome.answers / outcome.seconds)
      return this.#sample(name, variant, outcome)
    }
    return caseOf(name, { n: among, servers, run })
  }

  misses(servers: Servers): Case {
    const name = 'misses'
    const run = async (variant: string, server: Running): Promise<Sample> => {
      const label = `${this.#misses++}`
      const file = writeMisses(this.#directory, label, 100_000)
      const outcome = await load(server, { file, seconds, clients: 10, outstanding: 50, once: true })
      rmSync(file)
      this.#note(variant, await checkMisses(server.port, label))
      return this.#sample(name, variant, outcome)
    }
    return caseOf(name, { n: 100_000, servers, run })
  }

  latency(servers: Servers): Case {
    const name = 'UDP at half load'
    const file = writeQuestions(this.#directory, few, 5 * names)
    const run = async (variant: string, server: Running): Promise<Sample> => {
      const rate = Math.floor(Math.min(this.#slowest / 2, 30_000))
      const outcome = await load(server, { file, seconds, clients: 10, outstanding: 100, rate, times: true })
      this.#sample(name, variant, outcome)
      return {
        [`${name}, p99`]: percentile(outcome.latencies, 0.99),
        [`${name}, p50`]: percentile(outcome.latencies, 0.5),
      }
    }
    const variants = Object.fromEntries(
      Object.entries(servers).map(([variant, server]) => [variant, () => run(variant, server)]),
    )
    const units: Record<string, Unit> = { [`${name}, p99`]: 'ms', [`${name}, p50`]: 'ms' }
    return { n: few, units, variants, ratios: ratiosOf(servers) }
  }

  #sample(
    name: string,
    variant: string,
    { answers, seconds, cpuSeconds, lost, bad }: Awaited<ReturnType<typeof load>>,
  ): Sample {
    if (bad > 0) this.#wrong.push(`${name}: ${bad} answers of ${variant} were errors`)
    return {
      [`${name}, per CPU`]: answers / cpuSeconds,
      [name]: answers / seconds,
      [`${name}, lost`]: lost,
    }
  }

  #note(variant: string, wrong: readonly string[]): void {
    this.#wrong.push(...wrong.map(text => `${variant}: ${text}`))
  }
}

function caseOf(
  name: string,
  {
    n,
    servers,
    run,
  }: { n: number; servers: Servers; run: (variant: string, server: Running) => Promise<Sample> },
): Case {
  const units: Record<string, Unit> = {
    [`${name}, per CPU`]: 'answers/cpu-s',
    [name]: 'answers/s',
    [`${name}, lost`]: 'count',
  }
  const variants = Object.fromEntries(
    Object.entries(servers).map(([variant, server]) => [variant, () => run(variant, server)]),
  )
  return { n, units, variants, ratios: ratiosOf(servers) }
}

function ratiosOf(servers: Servers): [string, string][] {
  const others = Object.keys(servers).filter(variant => !variant.startsWith('ours'))
  const logged = 'ours, logged' in servers ? [['ours, logged', 'ours'] as [string, string]] : []
  return [...others.map(variant => ['ours', variant] as [string, string]), ...logged]
}
