import type { Frozen } from '../../api/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import type { ListedSnapshot } from '../../vm/index.ts'
import { asTyped } from '../program-name.ts'
import { ago, bytesText } from './cache.ts'
import { table } from './table.ts'

/** What a snapshot says of its cluster. */
export interface ShownCluster {
  readonly plan: ClusterPlan
  readonly kernel: string
}

export function frozenText({ snapshot, nodes, bytes, spreadMs, kept }: Frozen): string {
  const what = `${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${bytesText(bytes)}, paused within ${spreadMs} ms`
  const then = kept ? 'The cluster goes on.' : 'The cluster has ended.'
  return `snapshot ${snapshot}: ${what}. ${then}\n${asTyped(`Fork it with: xc fork ${snapshot}`)}\n`
}

/** A table of snapshots, with ages instead of times. */
export function snapshotsTable(snapshots: readonly ListedSnapshot[], now: number): string {
  const rows = snapshots.map(({ name, bytes, manifest, unusable }) => {
    const { plan } = (manifest?.about ?? {}) as Partial<ShownCluster>
    return [
      name,
      plan ? String(plan.nodes.length) : '',
      plan?.topology ?? '',
      manifest ? bytesText(bytes) : '',
      manifest ? ago(now - manifest.made) : '',
      unusable ?? 'yes',
    ]
  })
  return table(['name', 'nodes', 'topology', 'size', 'made', 'usable'], rows)
}
