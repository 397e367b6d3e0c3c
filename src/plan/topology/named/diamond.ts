import { defaultVia, routeTo, type Topology, uplink } from '../topology.ts'

/**
 * Two equal paths between the routers at the edges.
 *
 * ```
 *                    ┌─net 3── vm-203 ──net 5─┐
 * vm-001 … ── vm-201 ┤                        ├ vm-202 ── vm-221 …
 *     net 1          └─net 4── vm-204 ──net 6─┘       net 2
 * ```
 */
export const diamond: Topology = {
  name: 'diamond',
  doc: 'two equal paths (ECMP) between two routers',
  routers: { usual: 4, atLeast: 4 },
  testers: { usual: 1 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0] },
    { of: 'tester', nets: [0, 2] },
    { of: 201, nets: [0, 1, 3, 4] },
    { of: 202, nets: [0, 2, 5, 6] },
    { of: 203, nets: [0, 3, 5] },
    { of: 204, nets: [0, 4, 6] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([1, 201])] },
    { of: 201, forwarding: true, routes: [uplink, routeTo(2, [3, 203], [4, 204])], masquerade: [1] },
    { of: 202, forwarding: true, routes: [uplink, routeTo(1, [5, 203], [6, 204])], masquerade: [2] },
    { of: 203, forwarding: true, routes: [routeTo(1, [3, 201]), routeTo(2, [5, 202])] },
    { of: 204, forwarding: true, routes: [routeTo(1, [4, 201]), routeTo(2, [6, 202])] },
    { of: 'router', forwarding: true, routes: [uplink] },
    { of: 'tester', routes: [defaultVia([2, 202])] },
  ],
}
