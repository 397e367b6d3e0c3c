import { readFileSync } from 'node:fs'
import type { Result, Unit } from './benchmark.ts'
import type { Machine } from './machine.ts'

/** The value that `--json` prints. */
export interface Report {
  readonly v: 1
  readonly bench: string
  readonly machine: Machine
  readonly results: readonly Result[]
}

export function readReport(path: string): Report {
  const report = parse(readFileSync(path, 'utf8'))
  if (report?.v !== 1 || !Array.isArray(report.results))
    throw new Error(`${path} is not a report of this runner`)
  return report
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** With fewer rounds there is no spread to compare. */
const fewestRounds = 3

/**
 * The figures that got worse beyond the spread: all new samples are worse than the old median, and the new
 * median is worse than all old samples. Noise alone rarely does that.
 */
export function regressions(before: Report, after: Report): string[] {
  return after.results.flatMap(result => {
    const { name, variant, n, unit } = result
    const old = before.results.find(
      other => other.name === name && other.variant === variant && other.n === n,
    )
    if (!old || !worse(old, result)) return []
    return [`${name}, ${variant}, n = ${n}: ${show(old.median)} → ${show(result.median)} ${unit}`]
  })
}

const moreIsBetter: readonly string[] = ['per second', 'answers/cpu-s', 'answers/s'] satisfies Unit[]

function worse(old: Result, now: Result): boolean {
  if (Math.min(old.samples.length, now.samples.length) < fewestRounds) return false
  if (moreIsBetter.includes(now.unit)) return now.median < old.min && now.max < old.median
  return now.median > old.max && now.min > old.median
}

/** Rounded to three significant digits; counts are exact. */
export function show(value: number): string {
  if (Number.isInteger(value)) return `${value}`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
