import { defaultVia, routeTo, type Topology, uplink } from '../topology.ts'

/**
 * Tester 222 is a router between tester 221 and the routers: the place from which to disturb.
 *
 * ```
 * vm-001 … ──net 1── vm-201, vm-202 … ──net 3── vm-222 ──net 2── vm-221
 * ```
 */
export const evilTester: Topology = {
  name: 'evil-tester',
  doc: 'a tester behind another one, which routes and can disturb',
  routers: { usual: 2 },
  testers: { usual: 2, atLeast: 2 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0, 1, 3] },
    { of: 'tester', nets: [0, 2] },
    { of: 222, nets: [0, 3, 2] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([1, 'routers'])] },
    { of: 'router', forwarding: true, routes: [uplink, routeTo(2, [3, 222])], masquerade: [1, 2] },
    { of: 222, forwarding: true, routes: [defaultVia([3, 'routers'])] },
    { of: 'tester', routes: [defaultVia([2, 222])] },
  ],
}
