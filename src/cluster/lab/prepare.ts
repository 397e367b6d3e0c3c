import { Scope } from '../../base/index.ts'
import type { SettingOptions } from '../../plan/index.ts'
import { startIn } from '../start.ts'
import type { Cluster, StartHooks } from '../types.ts'
import { type ClusterWorld, systemWorld } from '../world.ts'
import { Lab, type LabOptions } from './lab.ts'

export interface PrepareHooks extends Omit<StartHooks, 'freezable'>, Pick<LabOptions, 'spare'> {}

/**
 * Starts a cluster, lets `prepare` install, configure and warm up what tests need, and freezes it. The result gives as many
 * clusters like it as asked for. When `prepare` throws, that is thrown, and nothing is left.
 *
 * ```ts
 * await using lab = await prepareCluster({ nvm: 2, ovl: ['bird'] }, async cluster => {
 *   await cluster.exec(1, 'until birdc show protocols | grep -q Established; do sleep 0.2; done')
 * })
 * await using cluster = await lab.fork()
 * ```
 */
export async function prepareCluster(
  options: SettingOptions,
  prepare: (cluster: Cluster) => Promise<void> = async () => {},
  hooks: PrepareHooks = {},
): Promise<Lab> {
  return await prepareIn(systemWorld(), options, { ...hooks, prepare })
}

/** The same with the dependencies as an argument. */
export async function prepareIn(
  world: ClusterWorld,
  options: SettingOptions,
  { prepare, spare, ...hooks }: PrepareHooks & { readonly prepare: (cluster: Cluster) => Promise<void> },
): Promise<Lab> {
  await using scope = new Scope()
  const cluster = scope.add(await startIn(world, options, { ...hooks, freezable: true }))
  await prepare(cluster)
  const frozen = await cluster.freeze()
  const { onEvent, places, net } = hooks
  return new Lab(world, frozen, {
    ...(spare !== undefined && { spare }),
    ...(onEvent && { onEvent }),
    ...(places && { places }),
    ...(net && { net }),
  })
}
