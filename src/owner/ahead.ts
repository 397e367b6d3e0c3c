import { clusterPlaces, namePattern, places } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'
import { spawnOwner, type WaitingOwner } from './launch.ts'

/** An owner that loads its code while this process loads its own. */
export interface OwnerAhead extends WaitingOwner {
  /** The cluster that it was started for. */
  readonly name: string
}

/**
 * Starts the owner that the command line of an `xc start` will most likely need, before that line is parsed. Undefined
 * when it needs none, or when something is wrong with it: the parser reports what.
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
