import type { ImpairedLink } from '../../api/index.ts'
import { type HostResources, softwareKeys } from '../../host/index.ts'
import type { ClusterPlan, Settings } from '../../plan/index.ts'
import { type SharedVms, snapshotForeign } from '../../vm/index.ts'
import { ClusterError } from '../errors.ts'

/** What a snapshot says of its cluster, beside its VMs: a JSON value. */
export interface AboutCluster {
  readonly plan: ClusterPlan
  /** Absent in those of earlier versions. */
  readonly impaired?: readonly ImpairedLink[]
  readonly settings: Settings
  readonly accel: HostResources['accel']['kind']
  /** The version of the kernel of nodes without one of their own. */
  readonly kernel: string
  /** Stands for what each node booted, by its number. */
  readonly software: Readonly<Record<number, string>>
  /** A function made its network. */
  readonly ownNet: boolean
}

/** A snapshot that is open in another process, for a cluster of this name. */
export interface SharedSnapshot extends SharedVms {
  readonly snapshot: string
  readonly name: string
  readonly about: AboutCluster
  readonly spreadMs: number
}

/** What of a cluster is described. */
export interface Described {
  readonly plan: ClusterPlan
  readonly impaired: readonly ImpairedLink[]
  readonly settings: Settings
  readonly host: HostResources
  readonly ownNet: boolean
}

export function aboutCluster({ plan, impaired, settings, host, ownNet }: Described): AboutCluster {
  const software = Object.fromEntries(plan.nodes.map(({ id }) => [id, keyOf(host, id)]))
  // Where bridges cannot be made, a fork fails: other devices would not fit its guests.
  const bridged = ownNet || settings.netSetup !== '' ? settings : { ...settings, fabric: 'bridge' as const }
  const { accel, image } = host
  return {
    plan,
    impaired,
    settings: bridged,
    accel: accel.kind,
    kernel: image.kernelVersion,
    software,
    ownNet,
  }
}

/** Refuses to go on with guests whose kernel, root or accelerator this machine no longer has. Throws SNAPSHOT_FOREIGN. */
export function mustMatch(
  { plan, accel, kernel, software }: AboutCluster,
  host: HostResources,
  snapshot: string,
): void {
  if (accel !== host.accel.kind)
    throw snapshotForeign(
      snapshot,
      `its nodes run with ${accel}, and nodes here would with ${host.accel.kind}`,
    )
  if (kernel !== host.image.kernelVersion)
    throw snapshotForeign(
      snapshot,
      `its kernel is Linux ${kernel}, and this machine's ${host.image.kernelVersion}`,
    )
  const changed = plan.nodes.find(({ id }) => software[id] !== keyOf(host, id))
  if (changed)
    throw snapshotForeign(snapshot, `the kernel, image or root of ${changed.name} has changed since`)
}

/** Throws CLUSTER_NOT_FREEZABLE for a cluster whose network cannot be made again without the caller's function. */
export function mustHaveNet({ plan, ownNet }: AboutCluster, net: unknown): void {
  if (!ownNet || net !== undefined) return
  throw new ClusterError({
    code: 'CLUSTER_NOT_FREEZABLE',
    kind: 'usage',
    op: 'fork cluster',
    target: plan.name,
    reason: 'a function of a program made its network, and there is none to make it again',
    remedy: 'Open it in that program, with the same `net`',
  })
}

function keyOf(host: HostResources, node: number): string {
  return softwareKeys(host.software(node)).join('+')
}
