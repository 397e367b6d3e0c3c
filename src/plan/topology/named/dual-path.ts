import { defaultVia, routeTo, type Topology, uplink } from '../topology.ts'

const tables = { ipv4: 300, ipv6: 301 }

/**
 * Two paths with two routers each. A socket bound to a node's eth2 takes the second.
 *
 * ```
 *          ┌─net 1── vm-201 ──net 3── vm-203 ──net 2─┐
 * vm-001 … ┤                                         ├ vm-221 …
 *          └─net 4── vm-202 ──net 5── vm-204 ──net 6─┘
 * ```
 */
export const dualPath: Topology = {
  name: 'dual-path',
  doc: 'two separate paths between nodes and testers, for multipath transport',
  routers: { usual: 4, atLeast: 4 },
  testers: { usual: 2 },
  nets: [
    { of: 'vm', nets: [0, 1, 4] },
    { of: 'router', nets: [0] },
    { of: 'tester', nets: [0, 2, 6] },
    { of: 201, nets: [0, 1, 3] },
    { of: 202, nets: [0, 4, 5] },
    { of: 203, nets: [0, 3, 2] },
    { of: 204, nets: [0, 5, 6] },
  ],
  setup: [
    {
      of: 'vm',
      routes: [defaultVia([1, 201]), { ...defaultVia([4, 202]), table: tables }, routeTo(6, [4, 202])],
      rules: [{ net: 4, ...tables }],
    },
    {
      of: 201,
      forwarding: true,
      routes: [uplink, routeTo(2, [3, 203]), routeTo(6, [3, 203])],
      masquerade: [1],
    },
    {
      of: 203,
      forwarding: true,
      routes: [uplink, routeTo(1, [3, 201]), routeTo(4, [3, 201])],
      masquerade: [2],
    },
    { of: 202, forwarding: true, routes: [uplink, routeTo(6, [5, 204]), routeTo(2, [5, 204])] },
    { of: 204, forwarding: true, routes: [uplink, routeTo(4, [5, 202]), routeTo(1, [5, 202])] },
    { of: 'router', forwarding: true, routes: [uplink] },
    {
      of: 'tester',
      routes: [defaultVia([2, 203]), { ...defaultVia([6, 204]), table: tables }, routeTo(4, [6, 204])],
      rules: [{ net: 6, ...tables }],
    },
  ],
}
