import { defaultVia, type Topology, uplink } from '../topology.ts'

/**
 * Nodes on net 1, testers on net 2, and any number of equal routers between them.
 *
 * ```
 * vm-001 … ──net 1── vm-201, vm-202 … ──net 2── vm-221 …
 * ```
 */
export const xnet: Topology = {
  name: 'xnet',
  doc: 'nodes and testers with equal routers between them',
  routers: { usual: 2 },
  testers: { usual: 0 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0, 1, 2] },
    { of: 'tester', nets: [0, 2] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([1, 'routers'])] },
    { of: 'router', forwarding: true, routes: [uplink], masquerade: [1, 2] },
    { of: 'tester', routes: [defaultVia([2, 'routers'])] },
  ],
}
