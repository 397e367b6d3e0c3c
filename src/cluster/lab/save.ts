import type { Places } from '../../base/index.ts'
import { type SnapshotManifest, saveSnapshot, snapshotsIn } from '../../vm/index.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Parts } from '../parts.ts'
import type { SavedSnapshot } from '../types.ts'
import { aboutCluster, type Described } from './about.ts'
import type { FrozenCluster } from './frozen.ts'

interface Saving {
  readonly places: Places
  /** Its name. */
  readonly snapshot: string
}

interface SavingNodes extends Saving {
  readonly about: () => Described
  readonly keep: boolean
}

/** Saves nodes that run. They stand still meanwhile, from when nothing else can be wrong with the name. */
export async function saveNodes(
  nodes: Nodes,
  { about, places, snapshot, keep }: SavingNodes,
): Promise<SavedSnapshot> {
  const { qemu, accel } = about().host
  const manifest = await saveSnapshot(snapshotsIn(places.state), snapshot, save =>
    nodes.hold(
      ({ vms, spreadMs }, signal) => {
        const saved = { vms, spreadMs, about: aboutCluster(about()) }
        return save({ ...saved, qemu, accel: accel.kind }, signal)
      },
      { keep },
    ),
  )
  return savedOf(snapshot, manifest)
}

/** Saves a cluster that is frozen in memory. */
export async function saveFrozen(
  frozen: FrozenCluster,
  { places, snapshot }: Saving,
): Promise<SavedSnapshot> {
  const { vms, spreadMs, host } = frozen
  const about = aboutCluster(frozen)
  const manifest = await saveSnapshot(snapshotsIn(places.state), snapshot, save =>
    save({ vms, spreadMs, about, qemu: host.qemu, accel: host.accel.kind }),
  )
  return savedOf(snapshot, manifest)
}

/** True when a hook has made the network, and not a script that the settings name. */
export function isOwnNet({ fabric, settings }: Pick<Parts, 'fabric' | 'settings'>): boolean {
  return fabric.custom === true && settings.netSetup === ''
}

function savedOf(name: string, { vms, spreadMs }: SnapshotManifest): SavedSnapshot {
  const bytes = vms.reduce((sum, { ram, state }) => sum + ram.bytes + state.bytes, 0)
  return { name, nodes: vms.length, bytes, spreadMs }
}
