import { requireTrustedPlace } from '../../../client/index.ts'
import type { Session } from '../../session.ts'

/** The directory of this user's snapshots. Throws PLACE_UNSAFE when another user could replace it. */
export async function snapshotsOf({ places }: Session): Promise<string> {
  requireTrustedPlace('state', places.state)
  const { snapshotsIn } = await import('../../../vm/index.ts')
  return snapshotsIn(places.state)
}
