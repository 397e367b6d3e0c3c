import { defaultVia, routeTo, type Topology, uplink } from '../topology.ts'

/**
 * Three routers in a row.
 *
 * ```
 * vm-001 … ──net 1── vm-201 ──net 3── vm-202 ──net 4── vm-203 ──net 2── vm-221 …
 * ```
 */
export const multihop: Topology = {
  name: 'multihop',
  doc: 'three routers in a row between nodes and testers',
  routers: { usual: 3, atLeast: 3 },
  testers: { usual: 0 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0] },
    { of: 'tester', nets: [0, 2] },
    { of: 201, nets: [0, 1, 3] },
    { of: 202, nets: [0, 3, 4] },
    { of: 203, nets: [0, 4, 2] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([1, 201])] },
    { of: 201, forwarding: true, routes: [uplink, routeTo(2, [3, 202])], masquerade: [1] },
    { of: 202, forwarding: true, routes: [uplink, routeTo(1, [3, 201]), routeTo(2, [4, 203])] },
    { of: 203, forwarding: true, routes: [uplink, routeTo(1, [4, 202])], masquerade: [2] },
    { of: 'router', forwarding: true, routes: [uplink] },
    { of: 'tester', routes: [defaultVia([2, 203])] },
  ],
}
