import { expect, test } from 'vitest'
import { setAddress } from '../../../src/rtnl/address/address.ts'
import { addVlan, removeVlan } from '../../../src/rtnl/bridge/vlan.ts'
import { dummy, type NetNamespace } from '../../../src/rtnl/index.ts'
import { addLink, changeLink } from '../../../src/rtnl/link/requests.ts'
import { setNamespaceId } from '../../../src/rtnl/namespace/namespaces.ts'
import { bucketOf, nextHopOf, removeNextHop, setNextHop } from '../../../src/rtnl/nexthop/requests.ts'
import { addRoute, changeRoute } from '../../../src/rtnl/route/requests.ts'
import { addRule } from '../../../src/rtnl/rule/rule.ts'
import type { NextHopMessage } from '../../../src/rtnl/wire/index.ts'
import { answers, goldenTests, messagesOf, type Said, sameMeaning } from './golden.ts'

const dev = 'a0'
const limited = { validLifetime: 1000, preferredLifetime: 500, metric: 77, noPrefixRoute: true }
const flags = { noDad: true, home: true, manageTemporary: true, noPrefixRoute: true }
const metrics = {
  ...{ rtt: 50, rttVar: 30, ssthresh: 9, cwnd: 7, reordering: 4, rtoMin: 200 },
  ...{
    congestionControl: 'bbr',
    locked: ['rtoMin'] as const,
    fastOpenNoCookie: true,
    realms: { from: 3, to: 4 },
  },
}
const segments = ['fd00::5', 'fd00::6']
const ip = { type: 'ip', id: 7, to: '10.9.9.9', from: '10.0.0.1' } as const

const said: Said[] = [
  [
    'address-replace',
    setAddress({ link: dev, address: '192.168.1.9', prefix: 24, label: 'a0:9', ...limited }, 'replace'),
  ],
  [
    'address-replace-6',
    setAddress(
      { link: dev, address: 'fd00::1', prefix: 64, validLifetime: 60, preferredLifetime: 0 },
      'replace',
    ),
  ],
  ['address-flags-6', setAddress({ link: dev, address: 'fd00:1::1', prefix: 64, ...flags }, 'add')],
  ['rule-l3mdev', addRule({ family: 4, l3mdev: true, priority: 1000 })],
  [
    'rule-realms',
    addRule({
      ...{ family: 4, tunnelId: 77, realms: { from: 3, to: 4 }, table: 100, protocol: 99 },
      ...{ suppressGroup: 7, priority: 106 },
    }),
  ],
  ['route-change', changeRoute({ destination: '10.1.0.0/16', via: '192.168.1.202' })],
  ['route-nexthop-id', addRoute({ destination: '10.2.0.0/16', nextHopId: 1 })],
  [
    'route-expires-6',
    addRoute({ destination: 'fd01::/64', via: 'fd00::2', dev, expires: 300, preference: 'high' }),
  ],
  ['route-from-6', addRoute({ destination: 'fd02::/64', from: 'fd00::/64', via: 'fd00::2', dev })],
  ['nexthop-add', setNextHop({ id: 1, via: '192.168.1.201', dev, onlink: true, protocol: 99 }, 'add')],
  ['nexthop-add-6', setNextHop({ id: 2, via: 'fd00::2', dev }, 'add')],
  ['nexthop-dev-6', setNextHop({ id: 3, family: 6, dev }, 'add')],
  ['nexthop-blackhole', setNextHop({ id: 4, blackhole: true }, 'add')],
  ['nexthop-group', setNextHop({ id: 10, group: [{ id: 1, weight: 20 }] }, 'replace')],
  [
    'nexthop-resilient',
    setNextHop(
      { id: 11, group: [{ id: 1 }], resilient: { buckets: 8, idleTimer: 30, unbalancedTimer: 60 } },
      'add',
    ),
  ],
  ['nexthop-fdb', setNextHop({ id: 12, via: '10.9.9.9', fdb: true }, 'add')],
  ['nexthop-del', removeNextHop(2)],
  ['vlan-port', addVlan({ link: dev, vlan: 10, pvid: true, untagged: true })],
  ['vlan-range', addVlan({ link: dev, vlan: [20, 30] })],
  ['vlan-self', addVlan({ link: 'xcbr0', vlan: 10, self: true })],
  ['vlan-del', removeVlan({ link: dev, vlan: 10 })],
  [
    'link-flags',
    changeLink({ index: 7, promiscuous: true, allMulticast: true, arp: false, multicast: false }),
  ],
  ['link-queues', addLink(dummy({ name: 'dm0', txQueues: 4, rxQueues: 2 }))],
  ['namespace-id', setNamespaceId({ fd: 6, path: 'other' } as NetNamespace, 7)],
]

/** Here `ip` sends what was in its memory between attributes, and a text without its NUL. */
const loose: Said[] = [
  ['route-metrics-more', addRoute({ destination: '10.3.0.0/16', via: '192.168.1.201', ...metrics })],
  ['route-encap-ip', addRoute({ destination: '10.4.0.0/16', dev, encap: ip })],
  [
    'route-encap-ip6',
    addRoute({ destination: 'fd04::/64', dev, encap: { type: 'ip6', id: 7, to: 'fd09::9' } }),
  ],
  [
    'route-encap-mpls',
    addRoute({
      ...{ destination: '10.5.0.0/16', via: '192.168.1.201', dev },
      encap: { type: 'mpls', labels: [100, 200] },
    }),
  ],
  [
    'route-encap-seg6',
    addRoute({ destination: 'fd05::/64', dev, encap: { type: 'seg6', mode: 'encap', segments } }),
  ],
  [
    'route-encap-inline',
    addRoute({
      destination: 'fd06::/64',
      dev,
      encap: { type: 'seg6', mode: 'inline', segments: ['fd00::5'] },
    }),
  ],
  [
    'nexthop-encap',
    setNextHop({ id: 13, via: '192.168.1.201', dev, encap: { type: 'mpls', labels: [300] } }, 'add'),
  ],
]

goldenTests(said)
sameMeaning(loose)
answers('nexthop-dump', 'bucket-dump')

test('listed nexthop objects and buckets are decoded', () => {
  const values = (vector: string) =>
    messagesOf(vector).flatMap(({ type, value }) => (type >= 104 ? [value as NextHopMessage] : []))
  expect(values('nexthop-dump').map(nextHopOf)).toEqual([
    { id: 1, family: 4, via: '192.168.1.201', dev: 7, protocol: 0, scope: 253, flags: [] },
    { id: 2, family: 4, blackhole: true, protocol: 0, scope: 0, flags: [] },
    {
      ...{ id: 10, protocol: 0, scope: 0, flags: [], group: [{ id: 1, weight: 20 }] },
      resilient: { buckets: 4, idleTimer: 120, unbalancedTimer: 0, unbalancedTime: 0 },
    },
  ])
  const buckets = values('bucket-dump').map(bucketOf)
  expect(buckets.map(bucket => [bucket?.id, bucket?.index, bucket?.nextHopId])).toEqual(
    [0, 1, 2, 3].map(index => [10, index, 1]),
  )
})
