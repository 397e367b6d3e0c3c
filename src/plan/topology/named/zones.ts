import { defaultVia, type Topology, uplink } from '../topology.ts'

/**
 * Nodes in three zones, with a net each. The routers are on all of them.
 *
 * ```
 * vm-001 … 009 ──net 1──┐
 * vm-010 … 019 ──net 3──┼ vm-201, vm-202 ──net 2── vm-221 …
 * vm-020 … 029 ──net 4──┘
 * ```
 */
export const zones: Topology = {
  name: 'zones',
  doc: 'nodes in three zones with a net each, and routers between the zones',
  routers: { usual: 2, atLeast: 1 },
  testers: { usual: 0 },
  more: [10, 11, 20, 21],
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0, 1, 2, 3, 4] },
    { of: 'tester', nets: [0, 2] },
    { of: [10, 19], nets: [0, 3] },
    { of: [20, 29], nets: [0, 4] },
  ],
  setup: [
    { of: [10, 19], routes: [defaultVia([3, 201])] },
    { of: [20, 29], routes: [defaultVia([4, 201])] },
    { of: 'vm', routes: [defaultVia([1, 201])] },
    { of: 'router', forwarding: true, routes: [uplink], masquerade: [1, 2, 3, 4] },
    { of: 'tester', routes: [defaultVia([2, 201])] },
  ],
}
