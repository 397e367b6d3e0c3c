import { PlanError } from '../../errors.ts'
import type { Topology } from '../topology.ts'
import { backend } from './backend.ts'
import { bridge } from './bridge.ts'
import { diamond } from './diamond.ts'
import { dualPath } from './dual-path.ts'
import { evilTester } from './evil-tester.ts'
import { multihop } from './multihop.ts'
import { multilan } from './multilan.ts'
import { multilanRouter } from './multilan-router.ts'
import { xDiamond } from './x-diamond.ts'
import { xnet } from './xnet.ts'
import { zones } from './zones.ts'

/** All named topologies. The first is the default. */
export const topologies: readonly Topology[] = [
  xnet,
  ...[dualPath, multihop, zones, backend, bridge],
  ...[multilan, multilanRouter, evilTester, diamond, xDiamond],
]

/** A topology by its name. One that is given itself is returned. Throws UNKNOWN_TOPOLOGY. */
export function topologyOf(name: string | Topology): Topology {
  if (typeof name !== 'string') return name
  const found = topologies.find(topology => topology.name === name)
  if (found) return found
  throw new PlanError({
    code: 'UNKNOWN_TOPOLOGY',
    kind: 'usage',
    reason: `there is no topology '${name}'`,
    remedy: `Use one of: ${topologies.map(topology => topology.name).join(', ')}, or a file (lab.yaml)`,
  })
}
