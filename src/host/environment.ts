import { type Places, places } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'

interface ProcessEnvironment {
  readonly places: Places
  readonly searchPath: string
  /** All of it, for programs of users'. */
  readonly env: Environment
}

/** What this process's environment says: the one look at it outside the command line's. */
export function processEnvironment(): ProcessEnvironment {
  const { env } = process
  const searchPath = env.PATH || '/usr/local/bin:/usr/bin:/bin'
  return { places: places(env, process.getuid!()), searchPath, env }
}
