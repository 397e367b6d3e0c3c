import type { Scope } from '../src/base/index.ts'
import type { Program } from './needs.ts'

export type Unit =
  | 'µs'
  | 'ms'
  | 's'
  | 'MiB'
  | 'per second'
  | 'count'
  | 'answers/cpu-s'
  | 'answers/s'
  | 'bytes'

/** The figures of one round of one variant, by name. */
export type Sample = Readonly<Record<string, number>>

/** A measurement in several variants, whose rounds alternate. */
export interface Case {
  /** The number of nodes that each round is about. */
  readonly n: number
  /** The figures of a round, in the order of the report. A variant may omit some. */
  readonly units: Readonly<Record<string, Unit>>
  /** Each runs one round. */
  readonly variants: Readonly<Record<string, () => Promise<Sample>>>
  /** Pairs to divide round by round, as [ours, theirs]: load on the machine affects both. */
  readonly ratios?: readonly (readonly [string, string])[]
  /** The figures to take ratios of. Default: the first one. */
  readonly ratiosOf?: readonly string[]
}

/** The default export of `bench/NAME.bench.ts`. */
export interface Benchmark {
  /** The number of rounds, unless the command line gives it. */
  readonly rounds: { readonly usual: number; readonly quick: number }
  /** The programs that it runs for comparison. */
  readonly needs?: readonly Program[]
  /** Starts what is needed, registers its closing with `scope`, and returns what to measure. */
  prepare(scope: Scope): Promise<Prepared>
}

export interface Prepared {
  readonly cases: readonly Case[]
  /** The accelerator of the guests. */
  readonly accel?: string
  /** Called at the end: results that were measured along the way, in no round. */
  readonly results?: () => readonly Result[]
  /** Called at the end: what went wrong. Each entry makes the run fail. */
  readonly failures?: () => readonly string[] | Promise<readonly string[]>
}

export interface Result {
  readonly name: string
  readonly variant: string
  /** The number of nodes. */
  readonly n: number
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

/** Called before each round of each variant. */
export type Watch = (at: { round: number; variant: string; n: number }) => void

/**
 * Runs all rounds of a case. The first round is a warm-up and is discarded. The variant that begins changes
 * every round.
 */
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

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
