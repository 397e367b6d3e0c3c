import type { Scope } from '../src/base/index.ts'

/** One thing measured in several ways; the rounds of the ways alternate. */
export interface Case {
  readonly name: string
  readonly unit: 'µs' | 'ms' | 's' | 'MiB' | 'per second'
  /** Each runs one round and gives its one sample. */
  readonly variants: Readonly<Record<string, () => Promise<number>>>
  /** Pairs to divide round by round, as [ours, theirs]: load on the machine falls on both. */
  readonly ratios?: readonly (readonly [string, string])[]
}

/** What `bench/NAME.bench.ts` exports by default. */
export interface Benchmark {
  /** Starts what is needed, leaves its closing to `scope`, and says what to measure. */
  prepare(scope: Scope): Promise<{ readonly cases: readonly Case[]; readonly accel?: string }>
}

export interface Result {
  readonly name: string
  readonly variant: string
  readonly n: number
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

/** Runs all rounds of a case. A first round warms up and is thrown away; who begins changes every round. */
export async function measure(
  { name, unit, variants, ratios = [] }: Case,
  rounds: number,
): Promise<Result[]> {
  const entries = Object.entries(variants)
  const samples = new Map(entries.map(([variant]) => [variant, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [variant, run] = entries[(i + round) % entries.length]!
      const sample = await run()
      if (round > 0) samples.get(variant)!.push(sample)
    }
  }
  const quotients = ratios.map(([ours, theirs]) => {
    const divisors = samples.get(theirs)!
    const values = samples.get(ours)!.map((sample, i) => sample / divisors[i]!)
    return resultOf({ name, variant: `${ours} ÷ ${theirs}`, unit: '×' }, values)
  })
  return [...Array.from(samples, ([variant, all]) => resultOf({ name, variant, unit }, all)), ...quotients]
}

function resultOf(what: { name: string; variant: string; unit: string }, samples: number[]): Result {
  const range = { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) }
  return {
    ...what,
    n: samples.length,
    ...range,
    samples: samples.map(sample => Number(sample.toPrecision(5))),
  }
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
