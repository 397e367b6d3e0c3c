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
export function fetchPackages(names: readonly string[], env: Environment): Promise<number> {
  return runScript('packages.js', names, env)
}

export interface KernelBuildOptions {
  /** Files with options of the kernel's configuration. */
  readonly fragments: readonly string[]
  /** How many compilers run at a time. Default: as many as there are processors. */
  readonly jobs?: number | undefined
  /** Installs missing Debian packages, which takes root. Otherwise they are named. */
  readonly install: boolean
  /** Looks for a newer source. */
  readonly refresh: boolean
  readonly env: Environment
}

/**
 * Builds a kernel for guests from Debian's source, in the cache. It reports its progress on standard error, prints the
 * kernel's folder, and resolves with an exit status.
 */
export function buildKernel({ fragments, jobs, install, refresh, env }: KernelBuildOptions): Promise<number> {
  const args = [
    ...fragments.map(file => `--fragment=${file}`),
    ...(jobs === undefined ? [] : [`--jobs=${jobs}`]),
    ...(install ? ['--install'] : []),
    ...(refresh ? ['--refresh'] : []),
  ]
  return runScript('kernel/main.js', args, env)
}

/**
 * Prepares this machine for clusters: QEMU, native code, the packages and the image for guests. It reports its progress
 * on standard error, and resolves with an exit status.
 */
export function setUp({ install, build, env }: SetUpOptions): Promise<number> {
  return runScript('main.js', [...(install ? ['--install'] : []), ...(build ? ['--build'] : [])], env)
}

async function runScript(name: string, args: readonly string[], env: Environment): Promise<number> {
  const script = `${packageRoot()}scripts/setup/${name}`
  const { code, signal } = await runAttached(process.execPath, [script, ...args], env)
  return code ?? 128 + (signal ? constants.signals[signal] : 0)
}
