import { type Places, places, searchPath } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'

export interface ProcessEnvironment {
  readonly places: Places
  readonly searchPath: string
  /** All of it, for programs of users'. */
  readonly env: Environment
}

/** What this process's environment says: the one look at it outside the command line's. */
export function processEnvironment(): ProcessEnvironment {
  const { env } = process
  return { places: places(env, process.getuid!()), searchPath: searchPath(env), env }
}
