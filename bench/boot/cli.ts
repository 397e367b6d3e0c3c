import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Status } from '../../src/api/index.ts'
import { type Places, Scope } from '../../src/base/index.ts'
import type { Sample } from '../benchmark.ts'
import { mustBeClones } from './cluster.ts'
import { nowMs } from './prober.ts'

const run = promisify(execFile)
const xc = fileURLToPath(new URL('../../bin/xc.js', import.meta.url))

/**
 * Starts the default cluster with `xc start`, as a shell does: `ready` is from starting that process to its end. The
 * cluster is stopped afterwards, which does not count.
 */
export async function cliRound(places: Places): Promise<Sample> {
  await using scope = new Scope()
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const env = environmentOf(places, directory)
  const began = nowMs()
  const { stdout, stderr } = await run(process.execPath, [xc, 'start', '--json'], { env })
  const ready = nowMs() - began
  scope.defer(() => run(process.execPath, [xc, 'stop'], { env }).then(() => {}))
  mustBeClones(JSON.parse(stdout) as Status, stderr.split('\n'))
  return { ready }
}

/**
 * Saves the default cluster with `xc freeze`, and returns what times an `xc fork` of it as {@link cliRound} does a start:
 * the snapshot is read and checked each time.
 */
export async function coldForks(places: Places, scope: Scope): Promise<() => Promise<Sample>> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const env = environmentOf(places, directory)
  const command = (...words: string[]) => run(process.execPath, [xc, ...words], { env })
  scope.defer(() => command('stop', '--all').then(() => {}))
  await command('start', '--freezable')
  await command('freeze', 'six')
  return async () => {
    const began = nowMs()
    await command('fork', 'six', '--json')
    const ready = nowMs() - began
    await command('stop', '--all')
    return { ready }
  }
}

/** Runtime and state of its own, so that no other cluster is met; the cache, with its templates, is the run's. */
export function environmentOf({ cache }: Places, directory: string): NodeJS.ProcessEnv {
  const [runtime, state] = [join(directory, 'run'), join(directory, 'state')]
  const own = { XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: state, XDG_CACHE_HOME: dirname(cache) }
  const settings = /^(__|XCLUSTER_|xcluster_)/
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name))),
    ...own,
  }
}
