import { constants } from 'node:os'
import type { Environment } from '../plan/index.ts'
import { packageRoot, runAttached } from '../sys/index.ts'

export interface SetUpOptions {
  /** Installs missing Debian packages, which takes root. Otherwise they are named. */
  readonly install: boolean
  /** Builds the native code here, even where the package brings what fits. */
  readonly build: boolean
  readonly env: Environment
}

/**
 * Fetches Debian packages for guests into the cache, unless it has them. It reports its progress on standard error, and
 * resolves with an exit status.
 */
export async function fetchPackages(names: readonly string[], env: Environment): Promise<number> {
  const { code, signal } = await runAttached(
    process.execPath,
    [`${packageRoot()}scripts/setup/packages.js`, ...names],
    env,
  )
  return code ?? 128 + (signal ? constants.signals[signal] : 0)
}

/**
 * Prepares this machine for clusters: QEMU, native code, the packages and the image for guests. It reports its progress
 * on standard error, and resolves with an exit status.
 */
export async function setUp({ install, build, env }: SetUpOptions): Promise<number> {
  const script = `${packageRoot()}scripts/setup/main.js`
  const args = [script, ...(install ? ['--install'] : []), ...(build ? ['--build'] : [])]
  const { code, signal } = await runAttached(process.execPath, args, env)
  return code ?? 128 + (signal ? constants.signals[signal] : 0)
}
