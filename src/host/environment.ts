import { type Places, places, searchPath } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'

export interface ProcessEnvironment {
  readonly places: Places
  readonly searchPath: string
  /** The whole environment, for programs of the user. */
  readonly env: Environment
}

/** Reads this process's environment. Apart from `cli` it is the only code that does. */
export function processEnvironment(): ProcessEnvironment {
  const { env } = process
  return { places: places(env, process.getuid!()), searchPath: searchPath(env), env }
}
