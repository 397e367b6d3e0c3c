import { expect, test } from 'vitest'
import type { Batch } from '../../../src/rtnl/open.ts'
import { placedMessages } from '../../../src/rtnl/placed.ts'

const net = { destination: '10.0.0.0/8', dev: 'eth0' } as const

const numbers: readonly [string, (batch: Batch) => void, string][] = [
  [
    'a fraction as an MTU',
    ({ links }) => links.change({ name: 'eth0', mtu: 1400.5 }),
    'change link eth0: mtu: 1400.5 is not an integer from 0 to 4294967295',
  ],
  [
    'a group beyond 32 bits, which would become another group',
    ({ links }) => links.change({ name: 'eth0', group: 2 ** 32 + 5 }),
    'group: 4294967301 is not an integer',
  ],
  [
    'a weight beyond 256, which would become another weight',
    ({ routes }) => routes.add({ destination: '10.0.0.0/8', ways: [{ via: '10.0.0.1', weight: 300 }] }),
    'weight: 300 is not an integer from 1 to 256',
  ],
  ['a weight of 0', ({ routes }) => routes.add({ ...net, ways: [{ weight: 0 }] }), 'weight: 0 is not'],
  [
    'a table beyond 32 bits, which would become the main table',
    ({ routes }) => routes.add({ ...net, table: 2 ** 32 + 254 }),
    'add route 10.0.0.0/8: table: 4294967550 is not an integer',
  ],
  ['no number as a table', ({ routes }) => routes.add({ ...net, table: Number.NaN }), 'table: NaN is not'],
  [
    'a TOS of 256',
    ({ routes }) => routes.add({ ...net, tos: 256 }),
    'tos: 256 is not an integer from 0 to 255',
  ],
  ['a negative metric', ({ routes }) => routes.add({ ...net, metric: -1 }), 'metric: -1 is not'],
  ['a nested MTU', ({ routes }) => routes.add({ ...net, mtu: -1 }), 'metrics.mtu: -1 is not'],
  [
    'a prefix length of 33',
    ({ routes }) => routes.add({ ...net, destination: '10.0.0.0/33' }),
    "'10.0.0.0/33' is not",
  ],
  [
    'a priority of 33 bits',
    ({ rules }) => rules.add({ family: 4, priority: 2 ** 32, table: 5 }),
    'priority: 4294967296 is not an integer',
  ],
  [
    'a realm beyond 16 bits, which would become the realm of sources',
    ({ routes }) => routes.add({ ...net, realms: { to: 0x1_0000 } }),
    'realms.to: 65536 is not an integer from 0 to 65535',
  ],
  [
    'an IPv4 route that expires, which the kernel would keep',
    ({ routes }) => routes.add({ ...net, expires: 60 }),
    'expires: the kernel lets only routes of IPv6 expire',
  ],
  [
    'an MPLS label beyond 20 bits, which would become another label',
    ({ routes }) => routes.add({ ...net, encap: { type: 'mpls', labels: [2 ** 20 + 100] } }),
    'encap.labels: 1048676 is not an integer from 0 to 1048575',
  ],
  [
    'a TTL of 300 in an encapsulation',
    ({ routes }) => routes.add({ ...net, encap: { type: 'ip', ttl: 300 } }),
    'encap.ttl: 300 is not an integer from 0 to 255',
  ],
  [
    'a tunnel id that is not an integer',
    ({ rules }) => rules.add({ family: 4, tunnelId: 1.5, table: 5 }),
    'tunnelId: 1.5 is not a bigint',
  ],
  [
    'half a second of lifetime',
    ({ addresses }) => addresses.add({ link: 'a', address: '10.0.0.1', prefix: 24, validLifetime: 0.5 }),
    'lifetimes.preferred: 0.5 is not an integer',
  ],
  [
    'a nexthop weight of 0',
    ({ nextHops }) => nextHops.add({ group: [{ id: 1, weight: 0 }] }),
    'weight: 0 is not',
  ],
  ['a negative nexthop id', ({ nextHops }) => nextHops.remove(-1), 'id: -1 is not an integer'],
  [
    'a range of VLANs that ends before it begins',
    ({ vlans }) => vlans.add({ link: 'a', vlan: [20, 10] }),
    'add VLAN 20-10 (a): the first VLAN of the range is above the last',
  ],
  [
    'a range of VLANs as the PVID',
    ({ vlans }) => vlans.add({ link: 'a', vlan: [10, 20], pvid: true }),
    'a range of VLANs cannot be the PVID',
  ],
  [
    'a VLAN of 13 bits in a flower, which would become another VLAN',
    ({ filters }) => filters.add({ link: 'a', parent: '1:', match: { vlan: 5000 } }),
    'vlan: 5000 is not an integer from 0 to 4095',
  ],
]

test.each(numbers)('%s is refused before it is sent', (_, build, words) => {
  expect(() => placedMessages(build)).toThrow(words)
})
