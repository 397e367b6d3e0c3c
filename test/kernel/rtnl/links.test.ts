import { expect } from 'vitest'
import { bridge, openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace, openTaps } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'
import { isRoot } from '../../support/rights.ts'
import { waitFor } from '../../support/wait.ts'

interface IpLink {
  ifindex: number
  ifname: string
  mtu: number
  address: string
  group: string
  master?: string
  operstate: string
  flags: string[]
  inet6_addr_gen_mode: string
  linkinfo?: {
    info_kind: string
    info_data?: Record<string, unknown>
    info_slave_data?: Record<string, unknown>
  }
}
const ipLinks = async (namespace: NetNamespace) =>
  new Map((await ipJson<IpLink>(namespace, ['-d', 'link'])).map(link => [link.ifname, link]))

test('ip shows a bridge as it was created, and as it was changed', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const settings = {
    groupFwdMask: 0x4000,
    stp: false,
    nfCallIptables: false,
    forwardDelay: 0,
    ageingTime: 1000,
  }
  const mac = '00:00:00:01:00:fa'
  await route.links.add(
    bridge({ name: 'xcbr0', index: 777, mac, mtu: 1400, group: 7, up: true, ...settings }),
  )
  const made = (await ipLinks(namespace)).get('xcbr0')
  expect(made).toMatchObject({ ifindex: 777, mtu: 1400, address: mac, group: '7' })
  expect(made?.flags).toContain('UP')
  expect(made?.linkinfo).toMatchObject({
    info_kind: 'bridge',
    info_data: {
      group_fwd_mask: '0x4000',
      stp_state: 0,
      forward_delay: 0,
      ageing_time: 1000,
      nf_call_iptables: 0,
    },
  })
  expect(await route.links.get('xcbr0')).toMatchObject({
    index: 777,
    kind: 'bridge',
    mac,
    mtu: 1400,
    group: 7,
    up: true,
    bridge: settings,
  })

  await route.links.change({
    name: 'xcbr0',
    mtu: 1300,
    up: false,
    alias: 'the internal net',
    bridge: { stp: true },
  })
  await route.links.change({ name: 'xcbr0', newName: 'xcbr1' })
  const changed = (await ipLinks(namespace)).get('xcbr1')
  expect(changed).toMatchObject({ ifindex: 777, mtu: 1300, ifalias: 'the internal net' })
  expect(changed?.linkinfo?.info_data).toMatchObject({ stp_state: 1 })
  expect(changed?.flags).not.toContain('UP')
  await route.links.remove('xcbr1')
  expect([...(await ipLinks(namespace)).keys()]).toEqual(['lo'])
})

test("a veth's peer is created in its own namespace, with its settings", async ({ skip }) => {
  skip(!isRoot, 'without root one namespace cannot refer to another')
  await using here = NetNamespace.create()
  await using there = NetNamespace.create()
  await using near = openRoute({ namespace: here })
  await using far = openRoute({ namespace: there })
  const peer = { name: 'host1', namespace: there, mtu: 1400, mac: '02:00:00:00:00:02', index: 55 }
  await near.links.add(
    veth({ name: 'xcluster1', index: 54, up: true, mtu: 1400, mac: '02:00:00:00:00:01', peer }),
  )
  await far.links.change({ name: 'host1', up: true })
  // The kernel's link watch runs later, at most once a second.
  await waitFor(async () => (await near.links.get('xcluster1')).operState === 'up', 5000)
  expect((await ipLinks(here)).get('xcluster1')).toMatchObject({
    mtu: 1400,
    operstate: 'UP',
    linkinfo: { info_kind: 'veth' },
  })
  expect((await ipLinks(there)).get('host1')).toMatchObject({
    ifindex: 55,
    mtu: 1400,
    address: '02:00:00:00:00:02',
  })
  expect(await near.links.get('xcluster1')).toMatchObject({
    kind: 'veth',
    peer: 55,
    peerNamespace: 0,
    operState: 'up',
  })
  await near.links.remove('xcluster1')
  expect((await ipLinks(there)).has('host1')).toBe(false)
})

test('taps are attached in one batch, as bridge and ip show, and get no IPv6 address', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const taps = await openTaps(['xcbr0_t1', 'xcbr0_t2'], { namespace })
  await route.batch(({ links }) => {
    links.add(bridge({ name: 'xcbr0', up: true, addrGenMode: 'none' }))
    for (const { name } of taps)
      links.change({
        name,
        mtu: 1400,
        master: 'xcbr0',
        up: true,
        group: 7,
        addrGenMode: 'none',
        port: { isolated: true },
      })
  })
  const ports = JSON.parse((await inNamespace(namespace, ['bridge', '-j', 'link'])).stdout)
  expect(ports).toMatchObject(taps.map(({ name }) => ({ ifname: name, master: 'xcbr0', mtu: 1400 })))
  const seen = await ipLinks(namespace)
  for (const { name } of taps) {
    expect(seen.get(name)).toMatchObject({ group: '7', inet6_addr_gen_mode: 'none' })
    expect(seen.get(name)?.linkinfo?.info_slave_data).toMatchObject({ isolated: true })
    expect(await route.links.get(name)).toMatchObject({ addrGenMode: 'none', port: { isolated: true } })
  }
  expect(await route.addresses.list({ family: 6 })).toEqual([])
  expect((await route.links.list({ master: 'xcbr0' })).map(({ name }) => name)).toEqual(
    taps.map(({ name }) => name),
  )
  expect((await route.links.list({ kind: 'bridge' })).map(({ name }) => name)).toEqual(['xcbr0'])
  await route.links.change({ name: 'xcbr0_t1', master: null })
  expect((await ipLinks(namespace)).get('xcbr0_t1')?.master).toBeUndefined()
  await Promise.all(taps.map(tap => tap.close()))
})

test('the library and ip list the same links, of every kind', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  await route.links.add(bridge({ name: 'xcbr0', up: true }))
  await route.links.add(veth({ name: 'a', master: 'xcbr0', up: true, peer: { name: 'b' } }))
  await inNamespace(namespace, ['ip', 'link', 'property', 'add', 'dev', 'a', 'altname', 'left'])
  const theirs = await ipJson<IpLink & { altnames?: string[]; txqlen: number }>(namespace, ['-d', 'link'])
  const ours = await route.links.list()
  const nameOf = (index: number | undefined) => ours.find(link => link.index === index)?.name
  expect(
    ours.map(
      ({ index, name, mtu, mac, operState, up, kind, master, altNames, addrGenMode, txQueueLength }) => ({
        index,
        name,
        mtu,
        mac,
        up,
        kind,
        altNames,
        addrGenMode,
        txQueueLength,
        operState,
        master: nameOf(master),
      }),
    ),
  ).toEqual(
    theirs.map(link => ({
      index: link.ifindex,
      name: link.ifname,
      mtu: link.mtu,
      mac: link.address,
      up: link.flags.includes('UP'),
      kind: link.linkinfo?.info_kind,
      altNames: link.altnames ?? [],
      addrGenMode: link.inet6_addr_gen_mode,
      txQueueLength: link.txqlen,
      operState: link.operstate.toLowerCase(),
      master: link.master,
    })),
  )
})

test('a group of links is removed in one request, and other links stay', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.batch(({ links }) => {
    for (let n = 0; n < 20; n++) links.add(bridge({ name: `br${n}`, group: n < 19 ? 7 : 8 }))
  })
  await route.links.removeGroup(7)
  expect([...(await ipLinks(namespace)).keys()]).toEqual(['lo', 'br19'])
})
