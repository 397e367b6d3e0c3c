import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

/** A whole run of node:test, in a process of its own. */
export interface Run {
  readonly process: ChildProcess
  said(): string
}

/** Runs a suite, without the variable that makes node:test a part of a run above it. */
export function run(suite: string, env: Readonly<Record<string, string>>): Run {
  const file = resolve(import.meta.dirname, 'suites', suite)
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const child = spawn(process.execPath, [file], {
    env: { ...own, ...env },
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
