import { clusterPlaces, namePattern, places } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'
import { spawnOwner, type WaitingOwner } from './launch.ts'

/** An owner that loads its code while this process loads its own. */
export interface OwnerAhead extends WaitingOwner {
  /** The cluster that it was started for. */
  readonly name: string
}

/**
 * For the command line of an `xc start` that has not been read yet: starts the owner that it will most likely ask
 * for. Undefined where it asks for none, or where something is wrong with it: whoever reads it will say what.
 */
export function ownerAhead(argv: readonly string[], env: Environment): OwnerAhead | undefined {
  if (argv.some(argument => ['--dry-run', '--help', '-h'].includes(argument))) return undefined
  const name = nameIn(argv) ?? (env.XCLUSTER_NAME || 'default')
  if (!namePattern.test(name)) return undefined
  try {
    const at = clusterPlaces(places(env, process.getuid?.() ?? 0), name)
    return { ...spawnOwner(at, { env: { ...env } }), name }
  } catch {
    return undefined
  }
}

/** The last `--name` counts. */
export function nameIn(argv: readonly string[]): string | undefined {
  const at = argv.findLastIndex(argument => argument === '--name' || argument.startsWith('--name='))
  return argv[at] === '--name' ? argv[at + 1] : argv[at]?.slice('--name='.length)
}
