import { expect } from 'vitest'
import { attributes, encoded, u16, u32 } from '../../../src/netlink/index.ts'
import {
  bridge,
  ifb,
  type MacvlanSettings,
  macvlan,
  openRoute,
  type PortSettings,
  veth,
  vxlan,
} from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'

interface IpLink {
  readonly ifname: string
  readonly altnames?: string[]
  readonly link?: string
  readonly flags: string[]
  readonly linkinfo?: { info_kind: string; info_data?: object; info_slave_data?: object }
  readonly stats64?: { rx: { packets: number; bytes: number } }
}

async function linkIn(namespace: NetNamespace, name: string): Promise<IpLink> {
  const [link] = await ipJson<IpLink>(namespace, ['-d', '-s', 'link', 'show', 'dev', name])
  return link!
}

test('ip and the library show vxlans, macvlans and an ifb as they were created', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const tunnel = { vni: 42, remote: '192.168.2.201', local: '192.168.2.1', port: 4789, ttl: 16 }
  const six = { vni: 43, remote: 'ff05::100', local: 'fd00::1', port: 4789, learning: false }
  await route.batch(({ links }) => {
    links.add(veth({ name: 'a', mtu: 1600, up: true, peer: { name: 'b' } }))
    links.add(vxlan({ name: 'vx4', dev: 'a', ...tunnel }))
    links.add(vxlan({ name: 'vx6', dev: 'a', ...six, sourcePorts: [40_000, 50_000], dontFragment: 'set' }))
    links.add(macvlan({ name: 'mv0', link: 'a', mode: 'bridge', mac: '02:00:00:00:00:07', up: true }))
    links.add(ifb({ name: 'ifb9', up: true, txQueueLength: 32 }))
  })
  expect((await linkIn(namespace, 'vx4')).linkinfo).toMatchObject({
    info_kind: 'vxlan',
    info_data: { id: 42, remote: '192.168.2.201', local: '192.168.2.1', link: 'a', port: 4789, ttl: 16 },
  })
  expect((await linkIn(namespace, 'vx6')).linkinfo?.info_data).toMatchObject({
    ...{ id: 43, group6: 'ff05::100', local6: 'fd00::1', df: 'set', learning: false },
    port_range: { low: 40_000, high: 50_000 },
  })
  expect(await linkIn(namespace, 'mv0')).toMatchObject({
    link: 'a',
    linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
  })
  expect((await linkIn(namespace, 'ifb9')).linkinfo).toMatchObject({ info_kind: 'ifb' })
  const { index } = await route.links.get('a')
  expect(await route.links.get('vx4')).toMatchObject({ kind: 'vxlan', vxlan: { ...tunnel, dev: index } })
  expect(await route.links.get('vx6')).toMatchObject({ vxlan: { ...six, dontFragment: 'set' } })
  expect(await route.links.get('mv0')).toMatchObject({ peer: index, macvlan: { mode: 'bridge' } })
  expect(await route.links.list({ kind: 'ifb' })).toMatchObject([{ name: 'ifb9', txQueueLength: 32 }])
})

test('a macvlan gets the frames of the addresses that it is given', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const [one, other] = ['02:00:00:00:00:05', '02:00:00:00:00:06']
  await route.links.add(veth({ name: 'a', peer: { name: 'b' } }))
  await route.links.add(macvlan({ name: 'mv0', link: 'a', mode: 'source', macs: [one, other] }))
  const shown = async () => (await linkIn(namespace, 'mv0')).linkinfo?.info_data
  expect(await shown()).toMatchObject({ mode: 'source', macaddr_count: 2 })
  const listed = async () => (await route.links.get('mv0')).macvlan?.macs?.toSorted()
  expect(await listed()).toEqual([one, other])
  const change = (macvlan: MacvlanSettings) => route.links.change({ name: 'mv0', kind: 'macvlan', macvlan })
  await change({ removeMac: one })
  expect(await listed()).toEqual([other])
  await change({ addMac: one })
  expect(await listed()).toEqual([one, other])
  await change({ macs: [] })
  expect(await listed()).toBeUndefined()
  expect(await shown()).toMatchObject({ mode: 'source' })
})

test.for(['private', 'vepa', 'bridge', 'passthru'] as const)(
  'a macvlan can be created in mode %s',
  async mode => {
    await using namespace = NetNamespace.create()
    await using route = openRoute({ namespace })
    await route.links.add(veth({ name: 'a', peer: { name: 'b' } }))
    await route.links.add(macvlan({ name: 'mv0', link: 'a', mode }))
    expect((await linkIn(namespace, 'mv0')).linkinfo?.info_data).toMatchObject({ mode })
    expect((await route.links.get('mv0')).macvlan?.mode).toBe(mode)
  },
)

test('both ends of a veth pair created in a batch can be named in it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.add(veth({ name: 'a', up: true, peer: { name: 'b' } }))
    links.add(veth({ name: 'c', peer: { name: 'd' } }))
    links.add(bridge({ name: 'br0' }))
    links.change({ name: 'd', master: 'br0' })
    addresses.add({ link: 'a', address: '10.0.0.1', prefix: 24 })
    addresses.add({ link: 'b', address: '10.0.0.2', prefix: 24 })
  })
  const found = await route.addresses.list({ family: 4 })
  const links = await route.links.list()
  const nameOf = (index: number) => links.find(link => link.index === index)?.name
  expect(found.map(({ link, address }) => [nameOf(link), address])).toEqual([
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ])
  expect((await route.links.list({ master: 'br0' })).map(({ name }) => name)).toEqual(['d'])
})

test('a kind takes its settings as bytes, which the kernel reads as those of any other', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const settings = attributes({ priority: [6, u16], ageingTime: [4, u32] })
  const data = encoded(settings, { priority: 7, ageingTime: 1000 })
  await route.links.add({ name: 'br0', kind: 'bridge', data })
  expect((await route.links.get('br0')).bridge).toMatchObject({ priority: 7, ageingTime: 1000 })
  await route.links.change({ name: 'br0', kind: 'bridge', data: encoded(settings, { priority: 8 }) })
  expect((await linkIn(namespace, 'br0')).linkinfo?.info_data).toMatchObject({ priority: 8 })
})

test('settings of a kind can be changed where the kernel allows it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.links.add(vxlan({ name: 'vx0', vni: 42, remote: '192.168.2.201', port: 4789 }))
  await route.links.change({ name: 'vx0', vxlan: { vni: 42, remote: '192.168.2.202' } })
  expect((await linkIn(namespace, 'vx0')).linkinfo?.info_data).toMatchObject({ remote: '192.168.2.202' })
})

test('a link has alternative names, long ones too, and is found by them', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const long = 'the-left-end-of-the-cable-to-the-router'
  await route.links.add(bridge({ name: 'br0', index: 100 }))
  await route.links.addAltNames('br0', ['left', long])
  expect((await linkIn(namespace, 'br0')).altnames).toEqual(['left', long])
  expect(await route.links.get(long)).toMatchObject({ index: 100, altNames: ['left', long] })
  await route.links.change({ name: long, mtu: 1400 })
  await route.links.removeAltNames('left', ['left'])
  expect(await route.links.get(long)).toMatchObject({ mtu: 1400, altNames: [long] })
  await route.links.remove(long)
  await expect(route.links.get('br0')).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND' })
})

test('counters of a link equal those of ip', async () => {
  await using here = NetNamespace.create()
  await using there = NetNamespace.create()
  await using near = openRoute({ namespace: here })
  await using far = openRoute({ namespace: there })
  await near.links.add(veth({ name: 'a', peer: { name: 'b', namespace: there } }))
  await far.links.change({ name: 'b', up: true })
  await near.links.change({ name: 'a', up: true })
  await near.addresses.add({ link: 'a', address: '10.0.0.1', prefix: 24 })
  await near.neighbours.add({ link: 'a', address: '10.0.0.2', mac: '02:00:00:00:00:02' })
  await inNamespace(here, ['bash', '-c', 'for i in 1 2 3; do echo $i >/dev/udp/10.0.0.2/9; done'])
  const ours = (await far.links.get('b')).statistics
  expect(ours?.rxPackets).toBeGreaterThanOrEqual(3)
  const [listed] = await far.links.list({ kind: 'veth' })
  expect(listed?.statistics?.rxBytes).toBeGreaterThan(3 * 30)
  expect((await linkIn(there, 'b')).stats64?.rx.packets).toBeGreaterThanOrEqual(ours!.rxPackets)
})

const portWords: [PortSettings, object][] = [
  [
    { learning: false, flood: false },
    { learning: false, flood: false },
  ],
  [
    { multicastFlood: false, broadcastFlood: false },
    { mcast_flood: false, bcast_flood: false },
  ],
  [
    { hairpin: true, guard: true, fastLeave: true },
    { hairpin: true, guard: true, fastleave: true },
  ],
  [
    { isolated: true, locked: true },
    { isolated: true, locked: true },
  ],
  [{ groupFwdMask: 0x4000 }, { group_fwd_mask: '0x4000' }],
  [
    { neighbourSuppress: true, multicastToUnicast: true },
    { neigh_suppress: true, mcast_to_unicast: true },
  ],
  [
    { cost: 10, priority: 16 },
    { cost: 10, priority: 16 },
  ],
]

test.for(portWords)('ip shows the port settings %j', async ([port, shown]) => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.batch(({ links }) => {
    links.add(bridge({ name: 'br0', up: true }))
    links.add(veth({ name: 'a', master: 'br0', up: true, peer: { name: 'b' } }))
    links.change({ name: 'a', port })
  })
  expect((await linkIn(namespace, 'a')).linkinfo?.info_slave_data).toMatchObject(shown)
  expect((await route.links.get('a')).port).toMatchObject(port)
})

test('a link keeps its settings when it moves to another namespace', async () => {
  await using here = NetNamespace.create()
  await using there = NetNamespace.create()
  await using near = openRoute({ namespace: here })
  await using far = openRoute({ namespace: there })
  await near.links.add(veth({ name: 'a', mtu: 1400, peer: { name: 'b' } }))
  await near.links.change({ name: 'a', namespace: there, newName: 'moved' })
  expect(await far.links.get('moved')).toMatchObject({ kind: 'veth', mtu: 1400 })
  expect((await ipJson<IpLink>(here, ['link'])).map(({ ifname }) => ifname)).toEqual(['lo', 'b'])
})
