import { type RouteRule, type Topology, uplink } from '../topology.ts'

/** Everything is on the link itself. */
const onLink = (net: number): RouteRule => ({ to: 'default', via: [{ net }] })

/**
 * Node 201 is a bridge between nets 1 and 2, so nodes and testers are on one subnet.
 *
 * ```
 * vm-001 … ──net 1── vm-201 (br1) ──net 2── vm-221 …
 * ```
 */
export const bridge: Topology = {
  name: 'bridge',
  doc: 'nodes and testers on one subnet, with a bridge in vm-201 between them',
  routers: { usual: 1, atLeast: 1 },
  testers: { usual: 0 },
  nets: [
    { of: 'vm', nets: [0, 1] },
    { of: 'router', nets: [0] },
    { of: 'tester', nets: [0, 2] },
    { of: 201, nets: [0, 1, 2] },
  ],
  setup: [
    { of: 'vm', routes: [onLink(1)] },
    {
      of: 201,
      forwarding: true,
      routes: [uplink],
      masquerade: [1],
      addresses: { 1: 'none', 2: 'none' },
      bridges: [{ name: 'br1', mac: '00:00:01:01:01:c9', nets: [1, 2], address: 1 }],
    },
    { of: 'router', forwarding: true, routes: [uplink] },
    { of: 'tester', addresses: { 2: 1 }, routes: [onLink(2)] },
  ],
}
