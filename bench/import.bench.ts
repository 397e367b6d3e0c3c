import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { inProject } from '../scripts/setup/project.js'
import { type Benchmark, type Case, median } from './benchmark.ts'

const run = promisify(execFile)
const processes = 3

/** What a program pays for importing the library: processor and wall time, in a fresh process each. */
const imports: Benchmark = {
  rounds: { usual: 15, quick: 3 },
  async prepare() {
    return { cases: ['xcluster', 'qmp', 'rtnl'].map(importCase) }
  },
}
export default imports

/** A module as package.json exports it, and as the compiler left it: a file for each of its modules. */
function importCase(name: string): Case {
  const [packed, compiled] = name === 'xcluster' ? ['index', ''] : [name, `${name}/`]
  return {
    n: 1,
    units: { [`${name}, processor`]: 'ms', [`${name}, elapsed`]: 'ms' },
    variants: {
      packed: () => oneRound(name, `dist/library/${packed}.js`),
      compiled: () => oneRound(name, `dist/${compiled}index.js`),
    },
    ratios: [['packed', 'compiled']],
  }
}

/** The medians of a few processes in a row. */
async function oneRound(name: string, module: string): Promise<Record<string, number>> {
  const costs: { cpu: number; elapsed: number }[] = []
  for (let i = 0; i < processes; i++) costs.push(await costOf(inProject(module)))
  return {
    [`${name}, processor`]: median(costs.map(({ cpu }) => cpu)),
    [`${name}, elapsed`]: median(costs.map(({ elapsed }) => elapsed)),
  }
}

/** In milliseconds, without the start of Node. */
async function costOf(path: string): Promise<{ cpu: number; elapsed: number }> {
  const program = `
    const before = process.cpuUsage(), began = performance.now()
    await import(${JSON.stringify(path)})
    const elapsed = performance.now() - began, { user, system } = process.cpuUsage(before)
    console.log(JSON.stringify({ cpu: (user + system) / 1000, elapsed }))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program])
  return JSON.parse(stdout)
}
