import { type Places, places } from '../base/index.ts'

/** What this process's environment says: the one look at it outside the command line's. */
export function surroundings(): { readonly places: Places; readonly searchPath: string } {
  const { env } = process
  return { places: places(env, process.getuid!()), searchPath: env.PATH || '/usr/local/bin:/usr/bin:/bin' }
}
