import { expect } from 'vitest'
import { bridge, openRoute, veth, vxlan } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'

const mac = '00:00:00:01:01:09'
const all = '00:00:00:00:00:00'

async function vethPair(namespace: NetNamespace) {
  const route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.add(veth({ name: 'a', index: 100, up: true, peer: { name: 'b', index: 101 } }))
    links.change({ name: 'b', up: true })
    addresses.add({ link: 100, address: '10.0.0.1', prefix: 24 })
  })
  return route
}

test('neighbours are added, changed, replaced and removed, as ip shows', async () => {
  await using namespace = NetNamespace.create()
  await using route = await vethPair(namespace)
  const { neighbours } = route
  const shown = async () =>
    (await ipJson(namespace, ['neighbour', 'show', 'dev', 'a', 'to', '10.0.0.0/24', 'nud', 'all'])).map(
      ({ dst, lladdr, state }) => [dst, lladdr, ...(state as string[])],
    )
  await neighbours.add({ link: 'a', address: '10.0.0.9', mac })
  await neighbours.add({ link: 'a', address: 'fd00::9', mac, state: 'stale', router: true })
  expect(await shown()).toEqual([['10.0.0.9', mac, 'PERMANENT']])
  await neighbours.change({ link: 'a', address: '10.0.0.9', mac: '00:00:00:01:01:0a', state: 'noarp' })
  expect(await shown()).toEqual([['10.0.0.9', '00:00:00:01:01:0a', 'NOARP']])
  await neighbours.replace({ link: 'a', address: '10.0.0.9', mac })
  await neighbours.replace({ link: 'a', address: '10.0.0.10', mac })
  // The kernel lists its hash table, whose seed differs every time.
  const listed = await neighbours.list({ link: 'a', family: 4 })
  expect(listed.map(({ address }) => address).sort()).toEqual(['10.0.0.10', '10.0.0.9'])
  const nine = listed.find(({ address }) => address === '10.0.0.9')
  expect(nine).toMatchObject({ link: 100, family: 4, mac, state: 'permanent' })
  expect(await neighbours.list({ family: 6 })).toContainEqual(
    expect.objectContaining({ address: 'fd00::9', state: 'stale', router: true }),
  )
  expect(await neighbours.list({ link: 'b', family: 4 })).toEqual([])
  await neighbours.remove({ link: 'a', address: '10.0.0.10' })
  await expect(neighbours.change({ link: 'a', address: '10.0.0.77', mac })).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    message: 'change neighbour 10.0.0.77 (a): No such file or directory',
  })
  await expect(neighbours.add({ link: 'a', address: '10.0.0.9', mac })).rejects.toMatchObject({
    code: 'NETLINK_EXISTS',
  })
})

test('proxies are listed apart from neighbours', async () => {
  await using namespace = NetNamespace.create()
  await using route = await vethPair(namespace)
  await route.neighbours.add({ link: 'a', address: '10.0.0.77', proxy: true })
  const shown = await ipJson(namespace, ['neighbour', 'show', 'proxy'])
  expect(shown).toMatchObject([{ dst: '10.0.0.77', dev: 'a' }])
  expect(await route.neighbours.list({ proxy: true })).toMatchObject([
    { link: 100, address: '10.0.0.77', proxy: true },
  ])
  expect((await route.neighbours.list()).filter(({ address }) => address === '10.0.0.77')).toEqual([])
  await route.neighbours.remove({ link: 'a', address: '10.0.0.77', proxy: true })
  expect(await route.neighbours.list({ proxy: true })).toEqual([])
})

interface BridgeEntry {
  readonly mac: string
  readonly dst?: string
}
async function fdbOf(namespace: NetNamespace, ...args: string[]): Promise<BridgeEntry[]> {
  return JSON.parse((await inNamespace(namespace, ['bridge', '-j', 'fdb', 'show', ...args])).stdout)
}
const of = (wanted: string) => (entry: BridgeEntry) => entry.mac === wanted

test("entries of a bridge's forwarding table are added, moved to another port, and removed", async () => {
  await using namespace = NetNamespace.create()
  await using route = await vethPair(namespace)
  const { links, fdb } = route
  await links.add(bridge({ name: 'br0', index: 200, up: true }))
  for (const name of ['a', 'b']) await links.change({ name, master: 'br0' })
  await fdb.add({ link: 'a', mac, table: 'master', state: 'static' })
  expect((await fdbOf(namespace, 'br', 'br0')).filter(of(mac))).toMatchObject([
    { ifname: 'a', master: 'br0', state: 'static' },
  ])
  await fdb.replace({ link: 'b', mac, table: 'master', state: 'dynamic', sticky: true })
  const [moved] = (await fdb.list({ bridge: 'br0' })).filter(of(mac))
  expect(moved).toEqual({
    ...{ link: 101, master: 200, mac, table: 'master', state: 'dynamic' },
    ...{ sticky: true, external: false, offloaded: false, locked: false, ages: expect.anything() },
  })
  const ours = (await fdb.list({ bridge: 'br0' })).map(entry => entry.mac)
  expect(ours.sort()).toEqual((await fdbOf(namespace, 'br', 'br0')).map(entry => entry.mac).sort())
  expect((await fdb.list({ link: 'a' })).every(({ link }) => link === 100)).toBe(true)
  await fdb.remove({ link: 'b', mac, table: 'master' })
  expect((await fdb.list()).filter(of(mac))).toEqual([])
})

test("a vxlan's forwarding table has several peers for one address", async () => {
  await using namespace = NetNamespace.create()
  await using route = await vethPair(namespace)
  await route.links.add(vxlan({ name: 'vx0', index: 300, vni: 42, dev: 'a', port: 4789 }))
  const peers = ['10.0.0.2', '10.0.0.3']
  await route.batch(({ fdb }) => {
    for (const remote of peers) fdb.append({ link: 'vx0', mac: all, remote })
    fdb.add({ link: 'vx0', mac, remote: '10.0.0.4', port: 4790, vni: 43, via: 'a', state: 'static' })
  })
  expect((await fdbOf(namespace, 'dev', 'vx0')).filter(of(all)).map(({ dst }) => dst)).toEqual(peers)
  expect(await route.fdb.list({ link: 'vx0' })).toContainEqual({
    ...{ link: 300, mac, table: 'self', state: 'static', remote: '10.0.0.4', port: 4790, vni: 43, via: 100 },
    ...{ sticky: false, external: false, offloaded: false, locked: false, ages: expect.anything() },
  })
  await route.fdb.remove({ link: 'vx0', mac: all, remote: '10.0.0.2' })
  expect((await route.fdb.list({ link: 'vx0' })).filter(of(all)).map(({ remote }) => remote)).toEqual([
    '10.0.0.3',
  ])
})
