import { Scope } from '../../base/index.ts'
import { adoptVms, openSnapshot, snapshotsIn } from '../../vm/index.ts'
import { forkIn, running } from '../start.ts'
import type { Cluster, StartHooks } from '../types.ts'
import { type ClusterWorld, systemWorld } from '../world.ts'
import { type AboutCluster, mustHaveNet, mustMatch, type SharedSnapshot } from './about.ts'
import type { FrozenCluster } from './frozen.ts'
import { Lab, type LabOptions } from './lab.ts'

/**
 * Opens a cluster that was saved, by {@link Lab.save}, {@link Cluster.save} or `xc freeze`: each of its bytes is checked
 * once, and all forks share what was read. Throws SNAPSHOT_NAME, SNAPSHOT_MISSING, SNAPSHOT_DAMAGED, and
 * SNAPSHOT_FOREIGN when QEMU, kernel or processor are no longer those that it was saved with.
 *
 * ```ts
 * await using lab = await openLab('warm')
 * await using cluster = await lab.fork()
 * ```
 */
export async function openLab(snapshot: string, options: LabOptions = {}): Promise<Lab> {
  return await openLabIn(systemWorld(), snapshot, options)
}

/** The same with the dependencies as an argument. */
export async function openLabIn(world: ClusterWorld, snapshot: string, options: LabOptions): Promise<Lab> {
  const { state } = options.places ?? world.environment.places
  await using unlessDone = new Scope()
  const { manifest, vms } = unlessDone.add(await openSnapshot(snapshotsIn(state), snapshot))
  const { spreadMs, about } = manifest
  const parts = await partsOf(world, { snapshot, about: about as AboutCluster }, options)
  const scope = unlessDone.move()
  const frozen = { ...parts, vms, spreadMs, [Symbol.asyncDispose]: () => scope.close() }
  return new Lab(world, frozen, options)
}

/** Forks a snapshot that another process has opened. */
export async function forkShared(shared: SharedSnapshot, hooks: StartHooks): Promise<Cluster> {
  return await forkSharedIn(systemWorld(), shared, hooks)
}

/** The same with the dependencies as an argument. */
export async function forkSharedIn(
  world: ClusterWorld,
  shared: SharedSnapshot,
  hooks: StartHooks,
): Promise<Cluster> {
  await using adopted = await adoptVms(shared)
  const { name, snapshot, spreadMs } = shared
  const { plan, settings } = shared.about
  const about = { ...shared.about, plan: { ...plan, name }, settings: { ...settings, name } }
  const parts = await partsOf(world, { snapshot, about }, hooks)
  return await forkIn(world, { ...parts, ...adopted, spreadMs }, { ...hooks, make: running })
}

interface Opened {
  readonly snapshot: string
  readonly about: AboutCluster
}

/** What a fork needs of this machine. Throws SNAPSHOT_FOREIGN, and what finding QEMU and the image does. */
async function partsOf(
  world: ClusterWorld,
  { snapshot, about }: Opened,
  { net, places, onEvent }: Pick<StartHooks, 'net' | 'places' | 'onEvent'>,
): Promise<Pick<FrozenCluster, 'plan' | 'impaired' | 'settings' | 'host' | 'additions' | 'ownNet'>> {
  mustHaveNet(about, net)
  const { plan, impaired = [], settings, ownNet } = about
  const { env, searchPath, places: usual } = world.environment
  const cacheDir = (places ?? usual).cache
  const notice = (text: string) => onEvent?.({ type: 'notice', text })
  const host = await world.findHost(settings, { cacheDir, searchPath, notice })
  mustMatch(about, host, snapshot)
  const additions = world.additions(settings, { env, cacheDir, notice })
  return { plan, impaired, settings, host, additions, ownNet }
}
