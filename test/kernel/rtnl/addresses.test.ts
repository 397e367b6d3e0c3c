import { expect } from 'vitest'
import { bridge, openRoute, type Route } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'

async function withBridge(namespace: NetNamespace): Promise<Route> {
  const route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.add(bridge({ name: 'xcbr0', index: 100, up: true, addrGenMode: 'none' }))
    addresses.add({ link: 100, address: '192.168.0.250', prefix: 24, broadcast: '192.168.0.255' })
    addresses.add({ link: 'xcbr0', address: 'fd00::192.168.0.250', prefix: 120, noDad: true })
  })
  return route
}

test('an address appears as ip shows it, can be used at once, and is removed again', async () => {
  await using namespace = NetNamespace.create()
  await using route = await withBridge(namespace)
  const [shown] = await ipJson<{ addr_info: object[] }>(namespace, ['address', 'show', 'dev', 'xcbr0'])
  expect(shown?.addr_info).toMatchObject([
    { family: 'inet', local: '192.168.0.250', prefixlen: 24, broadcast: '192.168.0.255', scope: 'global' },
    { family: 'inet6', local: 'fd00::c0a8:fa', prefixlen: 120, nodad: true },
  ])
  expect(await route.addresses.list({ link: 'xcbr0' })).toMatchObject([
    {
      link: 100,
      family: 4,
      address: '192.168.0.250',
      prefix: 24,
      broadcast: '192.168.0.255',
      permanent: true,
    },
    { link: 100, family: 6, address: 'fd00::c0a8:fa', prefix: 120, noDad: true, tentative: false },
  ])
  await route.addresses.add({ link: 'xcbr0', address: '172.30.0.3', peer: '172.30.0.2', prefix: 32 })
  expect((await route.addresses.list({ family: 4 })).at(-1)).toMatchObject({
    address: '172.30.0.3',
    peer: '172.30.0.2',
  })
  await route.batch(({ addresses }) => {
    addresses.remove({ link: 'xcbr0', address: '172.30.0.3', peer: '172.30.0.2', prefix: 32 })
    addresses.remove({ link: 'xcbr0', address: '192.168.0.250', prefix: 24 })
    addresses.remove({ link: 'xcbr0', address: 'fd00::c0a8:fa', prefix: 120 })
  })
  expect(await route.addresses.list()).toEqual([])
})

test('a route appears as ip shows it, and is removed again', async () => {
  await using namespace = NetNamespace.create()
  await using route = await withBridge(namespace)
  const ways = [
    { via: '192.168.0.201', dev: 'xcbr0' },
    { via: '192.168.0.202', dev: 'xcbr0', weight: 3 },
  ]
  const specs = [
    { destination: 'default', ways },
    { destination: 'default', via: 'fd00::c0a8:c9', metric: 50 },
    { destination: '10.1.0.0/16', dev: 'xcbr0', source: '192.168.0.250', mtu: 1300 },
    { destination: '10.2.0.0/16', type: 'blackhole' as const },
    { destination: 'fd01::/64', dev: 'xcbr0' },
    { destination: '10.3.0.0/16', via: 'fd00::c0a8:c9', dev: 'xcbr0' },
    { destination: '10.4.0.0/16', via: '172.31.0.1', dev: 'xcbr0', onlink: true, table: 300 },
  ]
  await route.batch(({ routes }) => {
    for (const spec of specs) routes.add(spec)
  })
  const show = async (...args: string[]) =>
    (await inNamespace(namespace, ['ip', ...args])).stdout.replace(/ +\n/g, '\n')
  expect(await show('-4', 'route')).toBe(`default
\tnexthop via 192.168.0.201 dev xcbr0 weight 1
\tnexthop via 192.168.0.202 dev xcbr0 weight 3
10.1.0.0/16 dev xcbr0 scope link src 192.168.0.250 mtu 1300
blackhole 10.2.0.0/16
10.3.0.0/16 via inet6 fd00::c0a8:c9 dev xcbr0
192.168.0.0/24 dev xcbr0 proto kernel scope link src 192.168.0.250
`)
  expect(await show('-6', 'route', 'show', 'default')).toBe(
    'default via fd00::c0a8:c9 dev xcbr0 metric 50 pref medium\n',
  )
  expect(await show('route', 'show', 'table', '300')).toBe('10.4.0.0/16 via 172.31.0.1 dev xcbr0 onlink\n')
  const ours = await route.routes.list()
  expect(ours.find(({ destination, family }) => destination === 'default' && family === 4)?.ways).toEqual([
    { via: '192.168.0.201', dev: 100, weight: 1, onlink: false, flags: [] },
    { via: '192.168.0.202', dev: 100, weight: 3, onlink: false, flags: [] },
  ])
  expect(ours.find(({ destination }) => destination === '10.3.0.0/16')).toMatchObject({
    via: 'fd00::c0a8:c9',
    dev: 100,
  })
  expect(await route.routes.list({ table: 300 })).toMatchObject([
    { destination: '10.4.0.0/16', onlink: true, table: 300 },
  ])
  await route.routes.replace({ destination: 'default', via: '192.168.0.203' })
  expect(await show('-4', 'route', 'show', 'default')).toBe('default via 192.168.0.203 dev xcbr0\n')
  await route.batch(({ routes }) => {
    for (const spec of specs.slice(1)) routes.remove(spec)
    routes.remove({ destination: 'default', family: 4 })
  })
  expect((await route.routes.list({ family: 4, table: 0 })).filter(({ protocol }) => protocol === 3)).toEqual(
    [],
  )
})
