import { expect } from 'vitest'
import { bridge, type NetlinkError, openRoute, type Route, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'

async function wired(namespace: NetNamespace): Promise<Route> {
  const route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.change({ name: 'lo', up: true })
    links.add(veth({ name: 'v0', index: 101, up: true, peer: { name: 'v1', index: 102 } }))
    links.change({ name: 'v1', up: true })
    addresses.add({ link: 101, address: '10.0.0.1', prefix: 24 })
    addresses.add({ link: 101, address: 'fd00::1', prefix: 64, noDad: true })
  })
  return route
}

const groups = { 10: [{ id: 1, weight: 20 }, { id: 5 }], 11: [{ id: 1 }, { id: 5, weight: 256 }] }

test('nexthop objects and groups are listed as ip shows them, and are the same when added again', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const { nextHops } = route
  await route.batch(({ nextHops }) => {
    nextHops.add({ id: 1, via: '10.0.0.7', dev: 'v0' })
    nextHops.add({ id: 2, via: 'fd00::7', dev: 'v0' })
    nextHops.add({ id: 3, blackhole: true })
    nextHops.add({ id: 4, dev: 'v0', family: 6 })
    nextHops.add({ id: 5, via: '10.9.0.8', dev: 'v0', onlink: true, protocol: 99 })
    nextHops.add({ id: 10, group: groups[10] })
    nextHops.add({ id: 11, group: groups[11], resilient: { buckets: 8, idleTimer: 30, unbalancedTimer: 60 } })
    nextHops.add({ id: 12, via: '10.9.9.9', fdb: true })
  })
  const shown = await ipJson(namespace, ['-N', '-d', 'nexthop', 'show'])
  const before = await nextHops.list({ names: true })
  const steady = before.map(({ resilient, ...rest }) => ({
    ...rest,
    ...(resilient && { type: 'resilient' }),
  }))
  expect(steady).toMatchObject(
    shown.map(({ id, gateway, dev, protocol, flags, group, type, blackhole }) => ({
      ...{ id, protocol: Number(protocol), flags },
      ...(gateway !== undefined && { via: gateway }),
      ...(dev !== undefined && { devName: dev }),
      ...(group !== undefined && { group: (group as object[]).map(one => ({ weight: 1, ...one })) }),
      ...(type !== undefined && { type }),
      ...(blackhole !== undefined && { blackhole: true }),
    })),
  )
  expect(shown).toHaveLength(8)
  expect(await nextHops.get(11)).toMatchObject({
    resilient: { buckets: 8, idleTimer: 30, unbalancedTimer: 60 },
  })
  expect((await nextHops.list({ groups: true })).map(({ id }) => id)).toEqual([10, 11])
  expect((await nextHops.list({ fdb: true })).map(({ id }) => id)).toEqual([12])
  expect((await nextHops.list({ dev: 'v0' })).map(({ id }) => id)).toEqual([1, 2, 4, 5])
  await route.batch(batch => {
    for (const { id } of [...before].reverse()) batch.nextHops.remove(id)
    for (const one of before) batch.nextHops.add(one)
  })
  expect(await nextHops.list({ names: true })).toEqual(before)
})

test('the buckets of a resilient group are listed, and a bucket keeps its next hop', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  await route.batch(({ nextHops }) => {
    nextHops.add({ id: 1, via: '10.0.0.7', dev: 'v0' })
    nextHops.add({ id: 5, via: '10.0.0.8', dev: 'v0' })
    nextHops.add({ id: 11, group: [{ id: 1 }, { id: 5 }], resilient: { buckets: 4 } })
  })
  const buckets = await route.nextHops.buckets(11)
  expect(buckets.map(({ id, index }) => [id, index])).toEqual([0, 1, 2, 3].map(index => [11, index]))
  expect(buckets.filter(({ nextHopId }) => nextHopId === 1)).toHaveLength(2)
})

test('routes follow a replaced nexthop object, are found by it, and go when it is removed', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const { nextHops, routes } = route
  await using events = route.monitor(['nextHops'])
  await nextHops.add({ id: 1, via: '10.0.0.7', dev: 'v0' })
  expect((await events.next()).value).toMatchObject({ type: 'nextHop', gone: false, nextHop: { id: 1 } })
  await routes.add({ destination: '10.20.0.0/16', nextHopId: 1 })
  await routes.add({ destination: '10.21.0.0/16', via: '10.0.0.9' })
  await nextHops.replace({ id: 1, via: '10.0.0.8', dev: 'v0' })
  expect(await routes.list({ nextHopId: 1 })).toMatchObject([
    { destination: '10.20.0.0/16', via: '10.0.0.8' },
  ])
  await nextHops.remove(1)
  expect(await routes.list({ nextHopId: 1 })).toEqual([])
  await expect(nextHops.get(1)).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND' })
  await expect(nextHops.add({ group: [{ id: 7, weight: 0 }] })).rejects.toMatchObject({
    code: 'NETLINK_ENCODE',
  })
})

test('listings of routes select by table, interface, origin, type, destination and gateway', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const { routes } = route
  await route.batch(batch => {
    batch.routes.add({ destination: '10.20.0.0/16', via: '10.0.0.7', protocol: 99 })
    batch.routes.add({ destination: '10.21.0.0/16', ways: [{ via: '10.0.0.8' }, { via: '10.0.0.7' }] })
    batch.routes.add({ destination: '10.22.0.0/16', type: 'blackhole', table: 300 })
    batch.routes.add({ destination: 'fd20::/64', type: 'blackhole' })
  })
  const found = async (filter: Parameters<typeof routes.list>[0]) =>
    (await routes.list(filter)).map(({ destination }) => destination)
  expect(await found({ protocol: 99 })).toEqual(['10.20.0.0/16'])
  expect(await found({ table: 300 })).toEqual(['10.22.0.0/16'])
  expect(await found({ table: 301 })).toEqual([])
  expect(await found({ table: 0, type: 'blackhole' })).toEqual(['10.22.0.0/16', 'fd20::/64'])
  expect(await found({ via: '10.0.0.7' })).toEqual(['10.20.0.0/16', '10.21.0.0/16'])
  expect(await found({ destination: '10.21.0.0/16' })).toEqual(['10.21.0.0/16'])
  expect(await found({ dev: 'v0', family: 4 })).toEqual(['10.0.0.0/24', '10.20.0.0/16', '10.21.0.0/16'])
  await routes.change({ destination: '10.20.0.0/16', via: '10.0.0.6', protocol: 98 })
  expect(await routes.list({ protocol: 98 })).toMatchObject([{ via: '10.0.0.6' }])
  const absent = routes.change({ destination: '10.99.0.0/16', via: '10.0.0.6' })
  await expect(absent).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND' })
})

test('an address is replaced in place, with lifetimes, label and metric', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const { addresses } = route
  const own = { link: 'v0', address: '10.5.0.1', prefix: 24 }
  await addresses.replace({ ...own, label: 'v0:5', validLifetime: 1000, preferredLifetime: 500 })
  await addresses.replace({ ...own, validLifetime: 2000, preferredLifetime: 1500, metric: 7 })
  const [shown] = await ipJson<{ addr_info: object[] }>(namespace, ['address', 'show', 'to', '10.5.0.1'])
  expect(shown?.addr_info).toContainEqual(
    expect.objectContaining({ label: 'v0:5', metric: 7, dynamic: true }),
  )
  await addresses.replace(own)
  const [now] = (await addresses.list({ family: 4 })).filter(({ label }) => label === 'v0:5')
  expect(now).toMatchObject({ permanent: true, address: '10.5.0.1' })
  expect(now).not.toHaveProperty('validLifetime')
  await addresses.add({ link: 'v0', address: 'fd05::1', prefix: 64, protocol: 99, noDad: true })
  expect(await addresses.list({ family: 6 })).toContainEqual(expect.objectContaining({ protocol: 99 }))
})

test('a link takes promiscuous, allmulticast, arp and multicast, as ip shows them', async () => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  const flags = async () => (await ipJson<{ flags: string[] }>(namespace, ['link', 'show', 'v0']))[0]?.flags
  await route.links.change({
    name: 'v0',
    promiscuous: true,
    allMulticast: true,
    arp: false,
    multicast: false,
  })
  expect(await flags()).toEqual(['BROADCAST', 'NOARP', 'ALLMULTI', 'PROMISC', 'UP', 'LOWER_UP'])
  const set = { promiscuous: true, allMulticast: true, arp: false, multicast: false, up: true }
  expect(await route.links.get('v0')).toMatchObject(set)
  await route.links.change({
    name: 'v0',
    promiscuous: false,
    allMulticast: false,
    arp: true,
    multicast: true,
  })
  expect(await flags()).toEqual(['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'])
})

test('another namespace gets an id, is found by it, and is listed as ip lists it', async () => {
  await using namespace = NetNamespace.create()
  await using other = NetNamespace.create()
  await using third = NetNamespace.create()
  await using route = openRoute({ namespace })
  const { namespaces, links } = route
  expect(await namespaces.idOf(other)).toBeUndefined()
  await namespaces.setId(other, 7)
  await namespaces.setId(third)
  expect(await namespaces.idOf(other)).toBe(7)
  expect((await namespaces.list()).sort()).toEqual([await namespaces.idOf(third), 7])
  const shown = await ipJson(namespace, ['netns', 'list-id'])
  expect(shown.map(({ nsid }) => nsid).sort()).toEqual((await namespaces.list()).sort())
  await links.add(veth({ name: 'v0', peer: { name: 'v1', namespace: other } }))
  expect(await links.get('v0')).toMatchObject({ peerNamespace: 7 })
  const [listed] = await links.list({ kind: 'veth', names: true })
  expect(listed).not.toHaveProperty('peerName')
  await expect(namespaces.setId(other, 8)).rejects.toMatchObject({ code: 'NETLINK_EXISTS' })
})

test('ports become members of VLANs, where the kernel can filter by VLAN', async ({ skip }) => {
  await using namespace = NetNamespace.create()
  await using route = await wired(namespace)
  await route.batch(({ links }) => {
    links.add(bridge({ name: 'br0', up: true }))
    links.change({ name: 'v1', master: 'br0' })
  })
  try {
    await route.vlans.add({ link: 'v1', vlan: 10, pvid: true, untagged: true })
  } catch (refusal) {
    const { code, message } = refusal as NetlinkError
    expect([code, message]).toEqual([
      'LINK_KIND_MISSING',
      expect.stringContaining('CONFIG_BRIDGE_VLAN_FILTERING'),
    ])
    expect(await route.vlans.list()).toEqual([])
    return skip('this kernel was built without CONFIG_BRIDGE_VLAN_FILTERING')
  }
  await route.vlans.add({ link: 'v1', vlan: [20, 22] })
  await route.vlans.add({ link: 'br0', vlan: 10, self: true })
  const listed = await route.vlans.list({ names: true })
  const { stdout } = await inNamespace(namespace, ['bridge', '-j', 'vlan', 'show'])
  const shown = (
    JSON.parse(stdout) as { ifname: string; vlans: { vlan: number; flags?: string[] }[] }[]
  ).flatMap(({ ifname, vlans }) =>
    vlans.map(({ vlan, flags = [] }) => [ifname, vlan, flags.includes('PVID')]),
  )
  expect(listed.map(({ linkName, vlan, pvid }) => [linkName, vlan, pvid])).toEqual(shown)
  await route.vlans.remove({ link: 'v1', vlan: [20, 22] })
  expect((await route.vlans.list({ link: 'v1' })).map(({ vlan }) => vlan)).toEqual([1, 10])
})
