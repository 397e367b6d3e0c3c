import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'

/** The counts of a run of other suites, written by scripts/test/reporter.js. */
interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=dot',
  '--reporter=./scripts/test/reporter.js',
]

/**
 * Runs suites of this project in another vitest and expects that all of them pass. `wrap` makes the command line of what
 * runs it.
 */
export async function expectPass(
  args: readonly string[],
  wrap: (vitest: readonly string[]) => readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'xc-ground-'))
  try {
    const results = join(folder, 'results.json')
    const [file, ...rest] = wrap([...vitest, ...args])
    const child = spawn(file!, rest, {
      env: { ...env, XCLUSTER_TEST_RESULTS: results },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-12_000)
      })
    await new Promise(resolve => child.on('close', resolve))
    const counts = countsIn(results, said)
    expect(counts.failed, said).toBe(0)
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countsIn(file: string, said: string): Counts {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts
  } catch {
    throw new Error(`the suites did not run:\n${said}`)
  }
}
