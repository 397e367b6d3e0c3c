import { defaultVia, routeTo, type Topology, uplink } from '../topology.ts'

/**
 * Two equal paths of two routers each, with links across.
 *
 * ```
 *                    ┌─net 3── vm-203 ──net 5── vm-205 ──net 7─┐
 * vm-001 … ── vm-201 ┤   nets 9, 11, 12, 10: each to each      ├ vm-202 ── vm-221 …
 *     net 1          └─net 4── vm-204 ──net 6── vm-206 ──net 8─┘       net 2
 * ```
 */
export const xDiamond: Topology = {
  name: 'x-diamond',
  doc: 'two equal paths of two routers each, with links across for rerouting',
  routers: { usual: 6, atLeast: 6 },
  testers: { usual: 1 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0] },
    { of: 'tester', nets: [0, 2] },
    { of: 201, nets: [0, 1, 3, 4] },
    { of: 202, nets: [0, 2, 7, 8] },
    { of: 203, nets: [0, 3, 5, 9, 11] },
    { of: 204, nets: [0, 4, 6, 9, 12] },
    { of: 205, nets: [0, 5, 7, 10, 12] },
    { of: 206, nets: [0, 6, 8, 10, 11] },
  ],
  setup: [
    { of: 'vm', routes: [defaultVia([1, 201])] },
    { of: 201, forwarding: true, routes: [uplink, routeTo(2, [3, 203], [4, 204])], masquerade: [1] },
    { of: 202, forwarding: true, routes: [uplink, routeTo(1, [7, 205], [8, 206])], masquerade: [2] },
    { of: 203, forwarding: true, routes: [routeTo(1, [3, 201]), routeTo(2, [5, 205])] },
    { of: 204, forwarding: true, routes: [routeTo(1, [4, 201]), routeTo(2, [6, 206])] },
    { of: 205, forwarding: true, routes: [routeTo(1, [5, 203]), routeTo(2, [7, 202])] },
    { of: 206, forwarding: true, routes: [routeTo(1, [6, 204]), routeTo(2, [8, 202])] },
    { of: 'router', forwarding: true, routes: [uplink] },
    { of: 'tester', routes: [defaultVia([2, 202])] },
  ],
}
