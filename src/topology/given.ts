import { isTopologyFile, type SettingOptions } from '../plan/index.ts'
import { moduleDocument } from './document.ts'
import { fileOfTopology } from './form.ts'
import { labOf, readTopology } from './read.ts'

/**
 * Options with what their topology's file gives: the topology itself, and settings where the options have none. A
 * topology that is given as a value is checked. Throws BAD_TOPOLOGY.
 */
export async function withTopology(options: SettingOptions): Promise<SettingOptions> {
  const { topology } = options
  if (topology === undefined || (typeof topology === 'string' && !isTopologyFile(topology))) return options
  if (typeof topology !== 'string') {
    labOf(moduleDocument('topology', fileOfTopology(topology)))
    return options
  }
  const lab = await readTopology(topology)
  return { ...lab.settings, ...options, topology: lab.topology }
}
