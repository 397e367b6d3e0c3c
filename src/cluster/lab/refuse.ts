import type { FabricKind } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'

/** What decides whether a cluster can be frozen. */
interface Freezing {
  readonly name: string
  readonly freezable: boolean
  readonly fabric: FabricKind
}

/** Throws CLUSTER_NOT_FREEZABLE. */
export function refuseFreeze({ name, freezable, fabric }: Freezing): void {
  if (!freezable) throw refused(name, 'it was not started to be frozen', 'Start it with prepareCluster')
  if (fabric === 'user')
    throw refused(
      name,
      'its network is in user space: all forks would be on the same multicast groups and ports',
      'Start it where bridges can be made: as root, or with user namespaces',
    )
}

function refused(target: string, reason: string, remedy: string): ClusterError {
  return new ClusterError({
    code: 'CLUSTER_NOT_FREEZABLE',
    kind: 'usage',
    op: 'freeze cluster',
    target,
    reason,
    remedy,
  })
}
