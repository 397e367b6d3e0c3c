import { expect } from 'vitest'
import { openRoute, type RouteSpec, type RuleSpec, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ipJson } from '../../support/namespace.ts'

async function wired(namespace: NetNamespace) {
  const route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.add(veth({ name: 'a', index: 100, up: true, peer: { name: 'b', index: 101 } }))
    links.change({ name: 'b', up: true })
    links.change({ name: 'lo', up: true })
    addresses.add({ link: 100, address: '10.0.0.1', prefix: 24 })
    addresses.add({ link: 100, address: 'fd00::1', prefix: 64, noDad: true })
  })
  return route
}

const rules: [words: RuleSpec, shown: object][] = [
  [
    { from: '10.0.0.0/8', to: '172.16.0.0/12', table: 100 },
    { src: '10.0.0.0', srclen: 8, dst: '172.16.0.0', dstlen: 12, table: '100' },
  ],
  [
    { family: 4, inDev: 'lo', table: 300 },
    { iif: 'lo', table: '300' },
  ],
  [
    { family: 4, outDev: 'a', table: 254 },
    { oif: 'a', table: 'main' },
  ],
  [
    { family: 4, mark: 0x10, mask: 0xff, table: 100 },
    { fwmark: '0x10', fwmask: '0xff' },
  ],
  [
    { from: 'fd00::/64', table: 100 },
    { src: 'fd00::', srclen: 64 },
  ],
  [
    { family: 4, ipProtocol: 6, sourcePorts: [1000, 2000], destinationPorts: 443, table: 100 },
    { ipproto: 'tcp', sport_start: 1000, sport_end: 2000, dport: 443 },
  ],
  [
    { family: 6, ipProtocol: 17, destinationPorts: 53, table: 100 },
    { ipproto: 'udp', dport: 53 },
  ],
  [
    { from: '10.0.0.0/8', invert: true, action: 'prohibit' },
    { not: null, action: 'prohibit' },
  ],
  [{ from: '10.0.0.0/8', action: 'blackhole' }, { action: 'blackhole' }],
  [{ from: '10.0.0.0/8', action: 'unreachable' }, { action: 'unreachable' }],
  [{ from: '10.0.0.0/8', action: 'goto', goto: 32_766 }, { goto: 32_766 }],
  [
    { family: 4, users: [1000, 1999], table: 100 },
    { uid_start: 1000, uid_end: 1999 },
  ],
  [
    { family: 4, table: 254, suppressPrefixLength: 0 },
    { table: 'main', suppress_prefixlen: 0 },
  ],
  [{ family: 4, tos: 0x10, table: 100 }, { tos: '0x10' }],
]

test.for(rules)('ip and the library list the rule %j as it was added', async ([words, shown]) => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const rule = { ...words, priority: 77 }
  await route.rules.add(rule)
  const family = (words.from ?? '').includes(':') || words.family === 6 ? '-6' : '-4'
  const found = await ipJson(namespace, [family, 'rule', 'show', 'priority', '77'])
  expect(found).toMatchObject([shown])
  const [ours] = (await route.rules.list()).filter(({ priority }) => priority === 77)
  expect(ours).toMatchObject(rule)
  await route.rules.remove(rule)
  expect((await route.rules.list()).filter(({ priority }) => priority === 77)).toEqual([])
  await expect(route.rules.remove(rule)).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND' })
})

test('a new namespace has the default rules, and a rule without a family is refused', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const own = (family: 4 | 6, tables: number[]) =>
    tables.map(table => expect.objectContaining({ family, action: 'lookup', table }))
  expect(await route.rules.list()).toEqual([...own(4, [255, 254, 253]), ...own(6, [255, 254])])
  expect(await route.rules.list({ family: 6 })).toEqual(own(6, [255, 254]))
  const unclear = route.rules.add({ mark: 1, table: 100 })
  await expect(unclear).rejects.toMatchObject({ code: 'ROUTE_FAMILY', kind: 'usage' })
})

test('the route of a packet depends on rules, marks and tables', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  await route.batch(({ routes, rules }) => {
    routes.add({ destination: 'default', via: '10.0.0.254', source: '10.0.0.1' })
    routes.add({ destination: 'default', via: '10.0.0.253', table: 100 })
    routes.add({ destination: '10.9.0.0/16', type: 'unreachable' })
    rules.add({ family: 4, mark: 7, table: 100, priority: 50 })
  })
  expect(await route.routes.get('192.0.2.1')).toMatchObject({
    ...{ family: 4, destination: '192.0.2.1/32', via: '10.0.0.254', dev: 100, source: '10.0.0.1' },
    table: 254,
  })
  expect(await route.routes.get('192.0.2.1', { mark: 7 })).toMatchObject({ via: '10.0.0.253', table: 100 })
  const [shown] = await ipJson(namespace, ['route', 'get', '192.0.2.1', 'mark', '7'])
  expect(shown).toMatchObject({ gateway: '10.0.0.253', dev: 'a' })
  expect(await route.routes.get('fd00::2', { outDev: 'a' })).toMatchObject({ family: 6, dev: 100 })
  expect(await route.routes.get('10.0.0.1')).toMatchObject({ type: 'local', table: 255 })
  await expect(route.routes.get('10.9.0.1')).rejects.toThrow('look up route to 10.9.0.1: No route to host')
})

const routes: [words: RouteSpec, shown: object][] = [
  [
    { destination: '10.6.0.0/16', via: '10.0.0.2', mtu: 1400, locked: ['mtu'], advmss: 1300 },
    { metrics: [{ mtu: 1400, advmss: 1300 }] },
  ],
  [
    { destination: 'fd00:6::/64', via: 'fd00::2', mtu: 1400, hopLimit: 9, initcwnd: 20 },
    { metrics: [{ mtu: 1400, hoplimit: 9, initcwnd: 20 }] },
  ],
  ...(['blackhole', 'unreachable', 'prohibit', 'throw'] as const).flatMap((type): [RouteSpec, object][] => [
    [{ destination: '10.7.0.0/16', type }, { type }],
    [{ destination: 'fd00:7::/64', type }, { type }],
  ]),
  [
    {
      destination: 'fd00:8::/64',
      ways: [
        { via: 'fd00::2', dev: 'a', weight: 2 },
        { via: 'fd00::3', dev: 'a', weight: 1 },
      ],
    },
    {
      nexthops: [
        { gateway: 'fd00::2', dev: 'a', weight: 2 },
        { gateway: 'fd00::3', dev: 'a', weight: 1 },
      ],
    },
  ],
  [
    {
      destination: '10.8.0.0/16',
      ways: [
        { via: '192.0.2.1', dev: 'a', weight: 256, onlink: true },
        { via: '10.0.0.3', weight: 1 },
      ],
    },
    {
      nexthops: [
        { gateway: '192.0.2.1', weight: 256, flags: ['onlink'] },
        { gateway: '10.0.0.3', weight: 1 },
      ],
    },
  ],
  [{ destination: '10.9.0.0/16', via: 'fe80::1', dev: 'a' }, { via: { family: 'inet6', host: 'fe80::1' } }],
]

test.for(routes)('ip and the library list the route %j as it was added', async ([words, shown]) => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  await route.routes.add(words)
  const family = words.destination.includes(':') ? '-6' : '-4'
  const found = await ipJson(namespace, [family, '-d', 'route', 'show', words.destination])
  expect(found).toMatchObject([shown])
  const [ours] = (await route.routes.list()).filter(({ destination }) => destination === words.destination)
  const { ways = [], dev: _, ...rest } = words
  expect(ours).toMatchObject({ ...rest, ways: ways.map(({ via, weight }) => ({ via, weight })) })
  await route.routes.remove(words)
  expect((await route.routes.list()).some(({ destination }) => destination === words.destination)).toBe(false)
})

test('routes appended to one destination are listed in order', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  await route.routes.add({ destination: '10.5.0.0/16', via: '10.0.0.2' })
  await route.routes.append({ destination: '10.5.0.0/16', via: '10.0.0.3' })
  const found = await ipJson(namespace, ['route', 'show', '10.5.0.0/16'])
  expect(found.map(({ gateway }) => gateway)).toEqual(['10.0.0.2', '10.0.0.3'])
})
