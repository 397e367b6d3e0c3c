import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { inProject } from '../../house/project.ts'

/** A whole run of a test runner, in a process of its own. */
export interface Run {
  readonly process: ChildProcess
  said(): string
}

type Variables = Readonly<Record<string, string>>

const suites = resolve(import.meta.dirname, 'suites')

/** Runs a suite of node:test, or any program. `options` are those of Node. */
export function run(suite: string, env: Variables, options: readonly string[] = []): Run {
  return begin([...options, join(suites, suite)], env)
}

/** Runs vitest in a folder of suites. */
export function runVitest(folder: string, env: Variables, options: readonly string[]): Run {
  return begin(
    [inProject('node_modules/vitest/vitest.mjs'), 'run', '--root', join(suites, folder), ...options],
    env,
  )
}

/** Without the variables that make a runner a part of the run above it. */
function begin(args: readonly string[], env: Variables): Run {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_TEST_CONTEXT|VITEST.*|TEST)$/.test(name),
  )
  const child = spawn(process.execPath, args, {
    env: { ...Object.fromEntries(own), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', bytes => {
      text += bytes
    })
  return { process: child, said: () => text }
}

/** Its status, and all that it said. */
export async function ended({ process: child, said }: Run): Promise<{ status: number; said: string }> {
  const [status] = await once(child, 'close')
  return { status, said: said() }
}
