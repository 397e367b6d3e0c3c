import type { Settings } from '../../plan/index.ts'
import type { Session } from '../session.ts'

/** Fetches packages that guests are to get. Returns an exit status: 0 when the cache has them all. */
export async function fetchMissing({ places, env }: Session, settings: Settings): Promise<number> {
  if ([...settings.packages, ...settings.ovl, ...settings.xovls].length === 0) return 0
  const { fetchPackages, lackingPackages } = await import('../../host/index.ts')
  const lacking = lackingPackages(settings, places.cache)
  return lacking.length === 0 ? 0 : await fetchPackages(lacking, env) // it says why
}
