import type { Scope } from '../src/base/index.ts'
import type { Program } from './needs.ts'

export type Unit = 'µs' | 'ms' | 's' | 'MiB' | 'per second' | 'count' | 'answers/cpu-s' | 'answers/s'

/** What one round of one way gave, by name. */
export type Sample = Readonly<Record<string, number>>

/** Things measured in several ways; the rounds of the ways alternate. */
export interface Case {
  /** How many nodes each round is about. */
  readonly n: number
  /** What a round measures, in the order of the report. A way may leave some of it out. */
  readonly units: Readonly<Record<string, Unit>>
  /** Each runs one round. */
  readonly variants: Readonly<Record<string, () => Promise<Sample>>>
  /** Pairs to divide round by round, as [ours, theirs]: load on the machine falls on both. */
  readonly ratios?: readonly (readonly [string, string])[]
  /** What they are of. The first name alone, where nobody says. */
  readonly ratiosOf?: readonly string[]
}

/** What `bench/NAME.bench.ts` exports by default. */
export interface Benchmark {
  /** How many, where nobody says. */
  readonly rounds: { readonly usual: number; readonly quick: number }
  /** What it runs beside us. */
  readonly needs?: readonly Program[]
  /** Starts what is needed, leaves its closing to `scope`, and says what to measure. */
  prepare(scope: Scope): Promise<Prepared>
}

export interface Prepared {
  readonly cases: readonly Case[]
  /** What runs the guests. */
  readonly accel?: string
  /** Asked when all is measured: what was measured on the way, in no round. */
  readonly results?: () => readonly Result[]
  /** Asked at the end as well: what went wrong. Each makes the run fail. */
  readonly failures?: () => readonly string[] | Promise<readonly string[]>
}

export interface Result {
  readonly name: string
  readonly variant: string
  /** Nodes. */
  readonly n: number
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

/** Told before each round of each way. */
export type Watch = (at: { round: number; variant: string; n: number }) => void

/** Runs all rounds of a case. A first round warms up and is thrown away; who begins changes every round. */
export async function measure(one: Case, rounds: number, watch: Watch = () => {}): Promise<Result[]> {
  const { n, units, variants, ratios = [] } = one
  const entries = Object.entries(variants)
  const samples = new Map<string, Sample[]>(entries.map(([variant]) => [variant, []]))
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [variant, run] = entries[(i + round) % entries.length]!
      watch({ round, variant, n })
      const sample = await run()
      if (round > 0) samples.get(variant)!.push(sample)
    }
  }
  const rows = Object.entries(units).flatMap(([name, unit]) =>
    Array.from(samples, ([variant, all]) =>
      resultOf(
        { name, variant, n, unit },
        all.flatMap(sample => sample[name] ?? []),
      ),
    ),
  )
  const { ratiosOf = Object.keys(units).slice(0, 1) } = one
  const quotients = ratiosOf.flatMap(name =>
    ratios.map(([ours, theirs]) => {
      const divisors = samples.get(theirs)!
      const values = samples.get(ours)!.map((sample, i) => sample[name]! / divisors[i]![name]!)
      return resultOf({ name, variant: `${ours} ÷ ${theirs}`, n, unit: '×' }, values)
    }),
  )
  return [...rows, ...quotients].filter(({ samples }) => samples.length > 0)
}

export function resultOf(
  what: { name: string; variant: string; n: number; unit: string },
  samples: readonly number[],
): Result {
  const range = { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) }
  return { ...what, ...range, samples: samples.map(sample => Number(sample.toPrecision(5))) }
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
