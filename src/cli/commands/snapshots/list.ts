import type { Command } from 'commander'
import type { ListedSnapshot } from '../../../vm/index.ts'
import { print, printJson, tell } from '../../output.ts'
import { asTyped } from '../../program-name.ts'
import type { Session } from '../../session.ts'
import { type ShownCluster, snapshotsTable } from '../../view/snapshots.ts'
import { snapshotsOf } from './shared.ts'

export function configure(command: Command, session: Session): void {
  command
    .option('--json', 'print one JSON value (docs/json.md)')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { listSnapshots } = await import('../../../vm/index.ts')
      const snapshots = await listSnapshots(await snapshotsOf(session))
      if (json) printJson({ v: 1, snapshots: snapshots.map(jsonOf) })
      else if (snapshots.length === 0)
        tell(asTyped('There are no snapshots. Make one with: xc start --freezable, then xc freeze NAME'))
      else print(snapshotsTable(snapshots, Date.now()))
    })
}

function jsonOf({ name, bytes, manifest, unusable }: ListedSnapshot): object {
  const usable = { usable: unusable === undefined, ...(unusable !== undefined && { reason: unusable }) }
  if (!manifest) return { name, ...usable }
  const { made, xcluster, facts, spreadMs } = manifest
  const { plan, kernel } = manifest.about as ShownCluster
  return {
    name,
    ...usable,
    ...{ cluster: plan.name, topology: plan.topology, nodes: plan.nodes.length },
    ...{ bytes, madeAt: new Date(made).toISOString(), spreadMs },
    versions: { xcluster, qemu: facts.qemu.version, kernel },
  }
}
