import { settingText } from '../../base/index.ts'
import { type FabricKind, nodesWith, type Settings } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'

/** What decides whether a cluster can be frozen. */
interface Freezing {
  readonly name: string
  readonly freezable: boolean
  readonly fabric: FabricKind
}

/** Throws CLUSTER_NOT_FREEZABLE. */
export function refuseFreeze({ name, freezable, fabric }: Freezing): void {
  if (!freezable)
    throw refused(name, 'it was not started to be frozen', `Start it with ${settingText('freezable')}`)
  if (fabric === 'user')
    throw refused(
      name,
      'its network is in user space: all forks would be on the same multicast groups and ports',
      'Start it where bridges can be made: as root, or with user namespaces',
    )
}

/**
 * Refuses a start of what could never be frozen: a frozen cluster has its nodes' memory, and not their disks. Throws
 * CLUSTER_NOT_FREEZABLE.
 */
export function refuseFreezable(settings: Settings): void {
  const { name, fabric } = settings
  if (fabric === 'user') refuseFreeze({ name, freezable: true, fabric })
  if (settings.image === '' && nodesWith(settings, ['image']).length === 0) return
  throw refused(settings.name, 'nodes of it start from a disk image', `Omit ${settingText('image')}`)
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
