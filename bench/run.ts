import { existsSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf, Scope } from '../src/base/index.ts'
import { type Benchmark, measure, type Result } from './benchmark.ts'
import { type Report, readReport, regressions, show } from './compare.ts'
import { describeMachine } from './machine.ts'

const usage = 'npm run -s bench -- NAME [--json] [--rounds N] [--compare FILE.json]'
const options = {
  json: { type: 'boolean' },
  rounds: { type: 'string', default: '15' },
  compare: { type: 'string' },
  help: { type: 'boolean' },
} as const

class UsageError extends Error {}

/** Gives the status: 0, or 1 for a regression. */
async function main(): Promise<number> {
  const { values, name, rounds } = readArguments()
  if (values.help) {
    process.stderr.write(`${usage}\nbenchmarks: ${names().join(', ')}\n`)
    return 0
  }
  const before = values.compare === undefined ? undefined : readReport(values.compare)
  const report = await run(name, rounds)
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : table(report))
  const worse = before ? regressions(before, report) : []
  if (before && JSON.stringify(before.machine) !== JSON.stringify(report.machine))
    process.stderr.write(`${values.compare} is of another machine, or of other versions\n`)
  for (const line of worse) process.stderr.write(`worse: ${line}\n`)
  return worse.length > 0 ? 1 : 0
}

function readArguments() {
  const { values, positionals } = parse()
  const [name = '', ...more] = positionals
  const rounds = Number(values.rounds)
  if (values.help) return { values, name, rounds }
  if (!names().includes(name) || more.length > 0)
    throw new UsageError(`name one of: ${names().join(', ')} (${usage})`)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 10_000)
    throw new UsageError(`--rounds: '${values.rounds}' is no number from 1 to 10000`)
  if (values.compare !== undefined && !existsSync(values.compare))
    throw new UsageError(`--compare: there is no file ${values.compare}`)
  return { values, name, rounds }
}

function parse() {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (failure) {
    throw new UsageError(`${messageOf(failure)} (${usage})`)
  }
}

function names(): string[] {
  return readdirSync(import.meta.dirname)
    .filter(file => file.endsWith('.bench.ts'))
    .map(file => file.replace('.bench.ts', ''))
}

async function run(name: string, rounds: number): Promise<Report> {
  const { default: benchmark }: { default: Benchmark } = await import(`./${name}.bench.ts`)
  const scope = new Scope()
  try {
    const { cases, accel } = await benchmark.prepare(scope)
    const results: Result[] = []
    for (const one of cases) results.push(...(await measure(one, rounds)))
    return { v: 1, bench: name, machine: describeMachine(accel), results }
  } finally {
    await scope.close()
  }
}

function table({ bench, machine, results }: Report): string {
  const { cpu, cores, kernel, node, qemu } = machine
  const head = `${bench} on ${cores} × ${cpu}, Linux ${kernel}, Node ${node}, QEMU ${qemu ?? 'none'}`
  const rows = results.map(({ name, variant, n, unit, median, min, max }) => [
    name,
    variant,
    `${show(median)} ${unit}`,
    `${show(min)} – ${show(max)}`,
    `${n}`,
  ])
  const all = [['case', 'variant', 'median', 'range', 'n'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const lines = all.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return `${head}\n\n${lines.join('\n')}\n`
}

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(`bench: ${messageOf(failure)}\n`)
  process.exitCode = failure instanceof UsageError ? 2 : 1
}
