import { describe, expect } from 'vitest'
import { openBridgeFabric } from '../../../src/net/index.ts'
import {
  type BridgePlan,
  planCluster,
  resolveSettings,
  type SettingOptions,
} from '../../../src/plan/index.ts'
import { bridge, openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'

const planned = (options: SettingOptions = {}) => planCluster(resolveSettings({ options })).bridges

interface Link {
  ifname: string
  address: string
  mtu: number
  master?: string
  operstate: string
  flags: string[]
  group: string
  inet6_addr_gen_mode: string
  linkinfo?: { info_kind: string; info_data: Record<string, unknown> }
}

const links = (namespace: NetNamespace) => ipJson<Link>(namespace, ['-d', 'link'])

async function addresses(namespace: NetNamespace): Promise<Record<string, string[]>> {
  type Dev = {
    ifname: string
    addr_info: { local: string; prefixlen: number; scope: string; nodad?: boolean }[]
  }
  const devs = await ipJson<Dev>(namespace, ['addr'])
  const own = (dev: Dev) => dev.addr_info.filter(({ scope }) => scope === 'global')
  return Object.fromEntries(devs.map(dev => [dev.ifname, own(dev).map(a => `${a.local}/${a.prefixlen}`)]))
}

describe('the bridge fabric of xnet', () => {
  test('has the links that the plan says, according to ip and bridge', async () => {
    await using fabric = await openBridgeFabric(planned({ nvm: 2, nrouters: 1, ntesters: 1 }))
    const all = await links(fabric.namespace)
    expect(all.map(({ ifname, master }) => (master ? `${ifname} in ${master}` : ifname)).sort()).toEqual([
      'lo',
      'xcbr0',
      'xcbr0_t1 in xcbr0',
      'xcbr0_t2 in xcbr0',
      'xcbr0_t201 in xcbr0',
      'xcbr0_t221 in xcbr0',
      'xcbr1',
      'xcbr1_t1 in xcbr1',
      'xcbr1_t2 in xcbr1',
      'xcbr1_t201 in xcbr1',
      'xcbr2',
      'xcbr2_t201 in xcbr2',
      'xcbr2_t221 in xcbr2',
    ])
    expect(all.filter(({ flags }) => !flags.includes('UP'))).toEqual([])
    const xcbr1 = all.find(({ ifname }) => ifname === 'xcbr1')!
    expect(xcbr1).toMatchObject({ address: '00:00:00:01:01:fa', mtu: 1500, inet6_addr_gen_mode: 'none' })
    expect(xcbr1.linkinfo!.info_data).toMatchObject({
      ...{ stp_state: 0, group_fwd_mask: '0x4000', mcast_snooping: 1 },
    })
    const tap = all.find(({ ifname }) => ifname === 'xcbr2_t221')!
    expect(tap).toMatchObject({ mtu: 1500, inet6_addr_gen_mode: 'none', group: all[1]!.group })
    expect(tap.linkinfo!.info_data).toMatchObject({ type: 'tap', persist: false, vnet_hdr: true })

    const { stdout } = await inNamespace(fabric.namespace, ['bridge', '-j', 'link'])
    const ports = JSON.parse(stdout) as { ifname: string; state: string }[]
    expect(ports).toHaveLength(9)
    expect(await addresses(fabric.namespace)).toMatchObject({
      xcbr0: ['192.168.0.250/24', 'fd00::c0a8:fa/120'],
      xcbr1: [],
      xcbr2: ['192.168.2.250/24', 'fd00::c0a8:2fa/120'],
      xcbr0_t1: [],
    })
  })

  test('has addresses that can be used at once', async () => {
    await using fabric = await openBridgeFabric(planned())
    const { stdout } = await inNamespace(fabric.namespace, [
      'ip',
      '-6',
      'addr',
      'show',
      'dev',
      'xcbr0',
      'tentative',
    ])
    expect(stdout).not.toContain('fd00')
    await inNamespace(fabric.namespace, ['ping', '-c', '1', '-W', '1', '127.0.0.1'])
  })

  test('can have another MTU and another prefix', async () => {
    await using fabric = await openBridgeFabric(planned({ mtu: 9000, prefix: '1000::1', hostNets: '1' }))
    const all = await links(fabric.namespace)
    expect(new Set(all.filter(({ ifname }) => ifname !== 'lo').map(({ mtu }) => mtu))).toEqual(
      new Set([9000]),
    )
    expect(await addresses(fabric.namespace)).toMatchObject({
      xcbr0: [],
      xcbr1: ['192.168.1.250/24', '1000::1:c0a8:1fa/120'],
    })
  })

  test('gives each node its interfaces in the order of its nets', async () => {
    await using fabric = await openBridgeFabric(planned({ nvm: 1, nets1: '0,3,2' }))
    const nics = await fabric.nics(1)
    expect(nics.map(({ args }) => args)).toEqual(
      ['00', '03', '02'].map((net, i) => [
        '-netdev',
        `tap,id=net${i},fd={fd0}`,
        '-device',
        `virtio-net-pci,netdev=net${i},id=nic${i},mac=00:00:00:01:${net}:01,romfile=`,
      ]),
    )
    expect(new Set(nics.flatMap(({ fds }) => fds)).size).toBe(3)
    expect(await fabric.nics(99)).toEqual([])
  })

  test('with 240 taps is made and removed', async ({ census }) => {
    const fabric = await openBridgeFabric(planned({ nvm: 100, nrouters: 10, ntesters: 5 }))
    expect(await links(fabric.namespace)).toHaveLength(1 + 3 + 240)
    await fabric.close()
    await census.expectUnchanged()
    await fabric.close()
    await expect(fabric.nics(1)).rejects.toMatchObject({ code: 'NETWORK_CLOSED' })
  })
})

describe('a bridge fabric that is changed to another plan', () => {
  const names = async (namespace: NetNamespace) => (await links(namespace)).map(({ ifname }) => ifname).sort()

  test('has the links of that plan, and keeps those of both plans', async ({ census }) => {
    await using fabric = await openBridgeFabric(planned({ nvm: 1, nrouters: 0, hostNets: '0' }))
    const indexOf = async (name: string) =>
      (await ipJson<{ ifindex: number }>(fabric.namespace, ['link', 'show', name]))[0]!.ifindex
    const [before, fd] = [await indexOf('xcbr0_t1'), (await fabric.nics(1))[0]!.fds[0]]
    await fabric.change(planned({ nvm: 2, nrouters: 1, hostNets: '0' }))
    const more = ['lo', 'xcbr0', 'xcbr0_t1', 'xcbr0_t2', 'xcbr0_t201', 'xcbr1', 'xcbr1_t1', 'xcbr1_t2']
    expect(await names(fabric.namespace)).toEqual([...more, 'xcbr1_t201', 'xcbr2', 'xcbr2_t201'])
    expect((await links(fabric.namespace)).find(({ ifname }) => ifname === 'xcbr2_t201')!.master).toBe(
      'xcbr2',
    )
    expect(await fabric.nics(201)).toHaveLength(3)
    await fabric.change(planned({ nvm: 1, nrouters: 0, hostNets: '0' }))
    expect(await names(fabric.namespace)).toEqual(['lo', 'xcbr0', 'xcbr0_t1', 'xcbr1', 'xcbr1_t1'])
    expect([await indexOf('xcbr0_t1'), (await fabric.nics(1))[0]!.fds[0]]).toEqual([before, fd])
    expect(await fabric.nics(2)).toEqual([])
    await fabric.close()
    await census.expectUnchanged()
  })

  test.for(['xcbr2', 'xcbr1_t2'])('stays as it was when %s exists already', async name => {
    await using namespace = NetNamespace.create()
    const before = planned({ nvm: 1, nrouters: 0, hostNets: '0' })
    await using fabric = await openBridgeFabric(before, { namespace })
    await using route = openRoute({ namespace })
    await route.links.add(bridge({ name }))
    const there = await names(namespace)
    const after = planned({ nvm: 2, nrouters: 1, hostNets: '0' })
    const code = name === 'xcbr2' ? 'BRIDGE_DIFFERS' : 'NETWORK_TAKEN'
    await expect(fabric.change(after)).rejects.toMatchObject({ code })
    expect(await names(namespace)).toEqual(there)
    await route.links.remove(name)
    await fabric.change(after)
    expect(await fabric.nics(2)).toHaveLength(2)
  })
})

describe('a bridge fabric that is closed while it changes', () => {
  test('carries out the change first, and then leaves nothing', async ({ census }) => {
    const fabric = await openBridgeFabric(planned({ nvm: 1, nrouters: 0, hostNets: '0' }))
    const changing = fabric.change(planned({ nvm: 20, nrouters: 2 }))
    await Promise.resolve() // it has begun
    const late = fabric.change(planned({ nvm: 30, nrouters: 2 }))
    const refused = expect(late).rejects.toMatchObject({ code: 'NETWORK_CLOSED' })
    await Promise.all([fabric.close(), changing, refused])
    await census.expectUnchanged()
  })
})

test('a plan that cannot be encoded leaves no tap, though the taps are being opened by then', async ({
  census,
}) => {
  const plan = planned()
  const [first, ...rest] = plan.bridges
  const wrong = [
    { ...plan, bridges: [{ ...first!, mac: 'no address' }, ...rest] },
    { ...plan, bridges: [{ ...first!, name: 'a name that is too long' }, ...rest] },
  ]
  await expect(openBridgeFabric(wrong[0]!)).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
  await expect(openBridgeFabric(wrong[1]!)).rejects.toMatchObject({ code: 'LINK_NAME' })
  const taps = [...plan.taps, { ...plan.taps[0]!, name: 'not/a name' }]
  await expect(openBridgeFabric({ ...plan, taps })).rejects.toMatchObject({ code: 'BAD_NAME' })
  await expect(openBridgeFabric({ ...plan, taps: [...plan.taps, plan.taps[0]!] })).rejects.toMatchObject({
    code: 'NETWORK_TAKEN',
  })
  await census.expectUnchanged()
})

/** Each is a real refusal of the kernel, in a namespace that stays, so that leftovers would show. */
describe('a bridge fabric leaves nothing when it fails at', () => {
  async function refused(plan: BridgePlan, code: string, others: string[] = []): Promise<void> {
    await using namespace = NetNamespace.create()
    await using route = openRoute({ namespace })
    for (const name of others) await route.links.add(bridge({ name }))
    const before = (await links(namespace)).map(({ ifname }) => ifname)
    await expect(openBridgeFabric(plan, { namespace })).rejects.toMatchObject({ code })
    expect((await links(namespace)).map(({ ifname }) => ifname)).toEqual(before)
  }

  test('a bridge', () => refused(planned(), 'BRIDGE_DIFFERS', ['xcbr2']))

  test('an address', () => {
    const plan = planned()
    const [first, ...rest] = plan.bridges
    const twice = { ...first!, addresses: [first!.addresses[0]!, first!.addresses[0]!] }
    return refused({ ...plan, bridges: [twice, ...rest] }, 'NETWORK_TAKEN')
  })

  test('a tap', () => refused(planned(), 'NETWORK_TAKEN', ['xcbr1_t3']))

  test('an MTU that a bridge accepts and a tap does not', () => {
    return refused({ ...planned(), mtu: 65535 }, 'NETLINK_INVALID')
  })

  test('an MTU that no link accepts', () => refused({ ...planned(), mtu: 20 }, 'NETLINK_INVALID'))

  test('a network that exists already, which it leaves alone', async () => {
    await using namespace = NetNamespace.create()
    await using first = await openBridgeFabric(planned({ nvm: 1, nrouters: 0 }), { namespace })
    const before = (await links(namespace)).map(({ ifname }) => ifname)
    await expect(openBridgeFabric(planned(), { namespace })).rejects.toMatchObject({
      code: 'NETWORK_TAKEN',
      message: expect.stringContaining('this namespace already has one (xcbr0'),
    })
    expect((await links(namespace)).map(({ ifname }) => ifname)).toEqual(before)
    await first.close()
    expect((await links(namespace)).map(({ ifname }) => ifname)).toEqual(['lo'])
  })
})
