import { existsSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf, Scope } from '../src/base/index.ts'
import { type Benchmark, measure, type Result, type Watch } from './benchmark.ts'
import { type Report, readReport, regressions, show } from './compare.ts'
import { describeMachine } from './machine.ts'
import { mustHave } from './needs.ts'

const usage = 'npm run -s bench -- NAME [--json] [--rounds N | --quick] [--compare FILE.json]'
const options = {
  json: { type: 'boolean' },
  rounds: { type: 'string' },
  quick: { type: 'boolean' },
  compare: { type: 'string' },
  help: { type: 'boolean' },
} as const

/** The most failures that are printed. */
const most = 30

class UsageError extends Error {}

/** Returns the exit status: 0, or 1 for a regression or a failure. */
async function main(): Promise<number> {
  const { values, name, rounds } = readArguments()
  if (values.help) {
    process.stderr.write(`${usage}\nbenchmarks: ${names().join(', ')}\n`)
    return 0
  }
  const before = values.compare === undefined ? undefined : readReport(values.compare)
  const { report, failures } = await run(name, { rounds, quick: values.quick ?? false })
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : table(report))
  const worse = before ? regressions(before, report) : []
  if (before && JSON.stringify(before.machine) !== JSON.stringify(report.machine))
    process.stderr.write(`${values.compare} is from another machine, or from other versions\n`)
  for (const line of worse) process.stderr.write(`worse: ${line}\n`)
  for (const line of failures.slice(0, most)) process.stderr.write(`failed: ${line}\n`)
  if (failures.length > most) process.stderr.write(`failed: ${failures.length - most} more\n`)
  return worse.length + failures.length > 0 ? 1 : 0
}

function readArguments() {
  const { values, positionals } = parse()
  const [name = '', ...more] = positionals
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (values.help) return { values, name, rounds }
  if (!names().includes(name) || more.length > 0)
    throw new UsageError(`give one of: ${names().join(', ')} (${usage})`)
  if (rounds !== undefined && values.quick) throw new UsageError('--rounds and --quick: give one of them')
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1 || rounds > 10_000))
    throw new UsageError(`--rounds: '${values.rounds}' is not a number from 1 to 10000`)
  if (values.compare !== undefined && !existsSync(values.compare))
    throw new UsageError(`--compare: the file ${values.compare} does not exist`)
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

async function run(
  name: string,
  { rounds, quick }: { rounds: number | undefined; quick: boolean },
): Promise<{ report: Report; failures: readonly string[] }> {
  const { default: benchmark }: { default: Benchmark } = await import(`./${name}.bench.ts`)
  mustHave(benchmark.needs ?? [])
  await using scope = new Scope()
  closeOnSignal(scope)
  const { cases, accel, results: more, failures } = await benchmark.prepare(scope)
  const results: Result[] = []
  const count = rounds ?? benchmark.rounds[quick ? 'quick' : 'usual']
  for (const one of cases) results.push(...(await measure(one, count, progress(count))))
  results.push(...(more?.() ?? []))
  const report: Report = { v: 1, bench: name, machine: describeMachine(accel), results }
  return { report, failures: (await failures?.()) ?? [] }
}

/** Shows the progress on one line of a terminal. */
function progress(rounds: number): Watch {
  if (!process.stderr.isTTY) return () => {}
  return ({ round, variant, n }) => {
    const which = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`
    process.stderr.write(`\r\x1b[K${which}: ${variant}, n = ${n}\r`)
  }
}

/** Ctrl-C leaves nothing behind either. */
function closeOnSignal(scope: Scope): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void scope.close().finally(() => process.exit(1)))
}

function table({ bench, machine, results }: Report): string {
  const { cpu, cores, kernel, node, qemu } = machine
  const head = `${bench} on ${cores} × ${cpu}, Linux ${kernel}, Node ${node}, QEMU ${qemu ?? 'none'}`
  const rows = results.map(({ name, variant, n, unit, median, min, max, samples }) => [
    name,
    variant,
    `${n}`,
    `${show(median)} ${unit}${inverse(median, unit)}`,
    `${show(min)} – ${show(max)}`,
    `${samples.length}`,
  ])
  const all = [['name', 'variant', 'n', 'median', 'range', 'rounds'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const lines = all.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return `${head}\n\n${lines.join('\n')}\n`
}

/** A small ratio is easier to read as its inverse. */
function inverse(ratio: number, unit: string): string {
  return unit === '×' && ratio < 0.5 ? ` (1 / ${show(1 / ratio)})` : ''
}

// Node 20 reads these certificates in every process that it starts: 45 ms beside 25 for all else.
delete process.env.NODE_EXTRA_CA_CERTS

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(`bench: ${messageOf(failure)}\n`)
  process.exitCode = failure instanceof UsageError ? 2 : 1
}
