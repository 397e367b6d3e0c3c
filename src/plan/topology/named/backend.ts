import { defaultVia, type Topology, uplink } from '../topology.ts'

/**
 * Nodes with a backend net of their own, eth1, and a frontend net to the routers, eth2.
 *
 * ```
 * net 1 ── vm-001 … ──net 3── vm-201, vm-202 ──net 2── vm-221 …
 * ```
 */
export const backend: Topology = {
  name: 'backend',
  doc: 'nodes with a net among themselves and another one to the routers',
  routers: { usual: 2, atLeast: 1 },
  testers: { usual: 0 },
  nets: [
    { of: 'vm', nets: [0, 1, 3] },
    { of: 'router', nets: [0, 3, 2] },
    { of: 'tester', nets: [0, 2] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([3, 201])] },
    { of: 'router', forwarding: true, routes: [uplink], masquerade: [3, 2] },
    { of: 'tester', routes: [defaultVia([2, 201])] },
  ],
}
