import { PlanError } from '../../errors.ts'
import type { Topology } from '../topology.ts'
import { xnet } from './xnet.ts'

/** All named topologies. */
export const topologies: readonly Topology[] = [xnet]

/** Finds a topology by name. Throws UNKNOWN_TOPOLOGY. */
export function topologyOf(name: string): Topology {
  const found = topologies.find(topology => topology.name === name)
  if (found) return found
  throw new PlanError({
    code: 'UNKNOWN_TOPOLOGY',
    kind: 'usage',
    reason: `there is no topology '${name}'`,
    remedy: `Use one of: ${topologies.map(topology => topology.name).join(', ')}`,
  })
}
