import { isTopologyFile, type SettingOptions, type Topology } from '../plan/index.ts'
import { moduleDocument } from './document.ts'
import { badTopology } from './errors.ts'
import { fileOfTopology } from './form.ts'
import { labOf, readTopology } from './read.ts'
import type { TopologyFile } from './schema.ts'

/**
 * Options with what their topology's file gives: the topology itself, and settings where the options have none. A
 * topology that is given as a value is checked. Throws BAD_TOPOLOGY.
 */
export async function withTopology(options: SettingOptions): Promise<SettingOptions> {
  const { topology } = options
  if (topology === undefined || (typeof topology === 'string' && !isTopologyFile(topology))) return options
  if (typeof topology !== 'string') {
    labOf(moduleDocument('topology', fileOf(topology)))
    return options
  }
  const lab = await readTopology(topology)
  return { ...lab.settings, ...options, topology: lab.topology }
}

/** A value may come from a program in JavaScript, or from another one. */
function fileOf(topology: Topology): TopologyFile {
  try {
    return fileOfTopology(topology)
  } catch {
    throw badTopology('topology', 'it lacks a part, or one has another form', 'docs/topologies.md has them')
  }
}
