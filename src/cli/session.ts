import { type Places, places } from '../base/index.ts'
import { OwnerClient } from '../client/index.ts'
import type { OwnerAhead } from '../owner/index.ts'
import type { Environment } from '../plan/index.ts'
import { CliError } from './errors.ts'

/** The options that most commands have, as commander returns them. */
export interface CommonOptions {
  readonly name?: string
  readonly timeout?: string
  readonly json?: boolean
}

/** What a command gets from outside: its environment, and the directories of clusters. */
export interface Session {
  readonly env: Environment
  readonly places: Places
  /** An owner that was started before the command line was read. */
  readonly ahead?: OwnerAhead | undefined
}

export function openSession(env: Environment, ahead?: OwnerAhead): Session {
  return { env, places: places(env, process.getuid?.() ?? 0), ahead }
}

/** The name of the cluster that a command is for. */
export function clusterNameOf({ env }: Session, { name }: CommonOptions): string {
  return name ?? (env.XCLUSTER_NAME || 'default')
}

/** A client of the owner of that cluster. */
export function clientOf(session: Session, options: CommonOptions): OwnerClient {
  const timeoutMs = timeoutOf(options)
  return new OwnerClient(
    session.places,
    clusterNameOf(session, options),
    timeoutMs === undefined ? {} : { timeoutMs },
  )
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
