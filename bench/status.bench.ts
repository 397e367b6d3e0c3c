import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Scope } from '../src/base/index.ts'
import type { Benchmark } from './benchmark.ts'
import { median } from './benchmark.ts'

const run = promisify(execFile)
const xc = fileURLToPath(new URL('../bin/xc.js', import.meta.url))
const processes = 5

/**
 * The cost of asking a running cluster for its status, compared with a Node that does nothing: whole
 * processes, from start to exit.
 */
const status: Benchmark = {
  rounds: { usual: 15, quick: 3 },
  async prepare(scope) {
    const env = await startCluster(scope)
    const timed = async (args: readonly string[]) => ({ command: await oneRound(args, env) })
    const variants = {
      'xc status': () => timed([xc, 'status']),
      'node -e 0': () => timed(['-e', '0']),
    }
    return { cases: [{ n: 1, units: { command: 'ms' }, variants, ratios: [['xc status', 'node -e 0']] }] }
  },
}
export default status

/** One node, in directories of its own, apart from other clusters of this machine. */
async function startCluster(scope: Scope): Promise<NodeJS.ProcessEnv> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const [runtime, state] = [join(directory, 'run'), join(directory, 'state')]
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: state }
  await run(process.execPath, [xc, 'start', '--nvm', '1', '--nrouters', '0'], { env })
  scope.defer(() => run(process.execPath, [xc, 'stop'], { env }).then(() => {}))
  return env
}

/** The median of a few processes in a row. */
async function oneRound(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < processes; i++) {
    const start = performance.now()
    await run(process.execPath, [...args], { env })
    times.push(performance.now() - start)
  }
  return median(times)
}
