import { isTopologyFile, type SettingOptions, type Topology, topologyOf } from '../plan/index.ts'

/**
 * The options with what their topology's file gives. A topology that is given as a value is checked, unless it came from
 * a file: then it has been. Throws BAD_TOPOLOGY.
 */
export async function withTopologyRead(options: SettingOptions): Promise<SettingOptions> {
  const { topology = '' } = options
  const isKnown = typeof topology === 'string' ? !isTopologyFile(topology) : topology.file !== undefined
  if (isKnown) return options
  const { withTopology } = await import('../topology/index.ts')
  return await withTopology(options)
}

/** A topology by its name or file, or a value, which is checked too. Throws BAD_TOPOLOGY. */
export async function topologyRead(asked: string | Topology): Promise<Topology> {
  const { withTopology } = await import('../topology/index.ts')
  const { topology } = await withTopology({ topology: asked })
  return topologyOf(topology ?? '')
}
