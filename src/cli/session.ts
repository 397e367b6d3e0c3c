import { type Places, places } from '../base/index.ts'
import { OwnerClient, requireTrustedPlace } from '../client/index.ts'
import type { OwnerAhead } from '../owner/index.ts'
import type { Environment } from '../plan/index.ts'
import { CliError } from './errors.ts'
import type { Hook } from './hooks/load.ts'

/** The options that most commands have, as commander returns them. */
export interface CommonOptions {
  readonly name?: string
  readonly timeout?: string
  readonly json?: boolean
  readonly debug?: boolean
}

/** What a command gets from outside: its environment, and the directories of clusters. */
export interface Session {
  readonly env: Environment
  readonly places: Places
  /** An owner that was started before the command line was read. */
  readonly ahead?: OwnerAhead | undefined
  /** The command line. */
  readonly argv: readonly string[]
  readonly hook?: Hook
}

export function openSession(env: Environment, given: Partial<Pick<Session, 'ahead' | 'argv'>> = {}): Session {
  const { ahead, argv = [] } = given
  return { env, places: places(env, process.getuid?.() ?? 0), ahead, argv }
}

/** The directories of clusters. Throws PLACE_UNSAFE when another user could replace the runtime directory. */
export function trustedPlaces({ places }: Session): Places {
  requireTrustedPlace('runtime', places.runtime)
  return places
}

/** The name of the cluster that a command is for. */
export function clusterNameOf({ env }: Session, { name }: CommonOptions): string {
  return name ?? (env.XCLUSTER_NAME || 'default')
}

/** A client of the owner of that cluster. */
export function clientOf(session: Session, options: CommonOptions): OwnerClient {
  const timeoutMs = timeoutOf(options)
  return new OwnerClient(trustedPlaces(session), clusterNameOf(session, options), {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(options.debug && { debug: true }),
  })
}

/** `--timeout` in milliseconds. */
export function timeoutOf({ timeout }: CommonOptions): number | undefined {
  if (timeout === undefined) return undefined
  const seconds = /^\d+(\.\d+)?$/.test(timeout) ? Number(timeout) : 0
  if (seconds > 0 && seconds <= 86_400) return seconds * 1000
  throw new CliError({
    code: 'BAD_TIMEOUT',
    kind: 'usage',
    target: '--timeout',
    reason: `'${timeout}' is not a number of seconds above 0 and up to 86400`,
  })
}
