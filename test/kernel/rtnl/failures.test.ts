import { expect } from 'vitest'
import { bond, bridge, dummy, openRoute, veth, vlan, vrf } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ipJson } from '../../support/namespace.ts'

test("refusals of the kernel are sentences with the kernel's own words", async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const { links, addresses, routes } = route
  await links.add(bridge({ name: 'xcbr0', index: 100, up: true }))
  await addresses.add({ link: 100, address: '192.168.0.250', prefix: 24 })
  const refusals: [attempt: () => Promise<void>, message: string, errno: string, code: string][] = [
    [
      () => links.add(bridge({ name: 'xcbr0' })),
      'create bridge xcbr0: File exists',
      'EEXIST',
      'NETLINK_EXISTS',
    ],
    [() => links.remove('xcbr9'), 'remove link xcbr9: No such device', 'ENODEV', 'NETLINK_NOT_FOUND'],
    [() => links.removeGroup(99), 'remove group 99: No such device', 'ENODEV', 'NETLINK_NOT_FOUND'],
    [
      () => links.change({ name: 'xcbr0', mtu: 9 }),
      'change link xcbr0: Invalid argument: mtu less than device minimum',
      'EINVAL',
      'NETLINK_INVALID',
    ],
    [
      () => links.add({ name: 'x', kind: 'nonsense' }),
      'create nonsense x: Operation not supported: Unknown device type',
      'EOPNOTSUPP',
      'LINK_KIND_MISSING',
    ],
    [
      () => addresses.add({ link: 100, address: '192.168.0.250', prefix: 24 }),
      'add address 192.168.0.250/24 (100): File exists',
      'EEXIST',
      'NETLINK_EXISTS',
    ],
    [
      () => routes.add({ destination: '10.0.0.0/8', via: '172.16.0.1' }),
      'add route 10.0.0.0/8: Network is unreachable: Nexthop has invalid gateway',
      'ENETUNREACH',
      'NETLINK_REFUSED',
    ],
    [
      () => routes.remove({ destination: '10.0.0.0/8' }),
      'remove route 10.0.0.0/8: No such process',
      'ESRCH',
      'NETLINK_NOT_FOUND',
    ],
  ]
  for (const [attempt, message, errnoName, code] of refusals)
    await expect(attempt()).rejects.toMatchObject({
      message: expect.stringContaining(message),
      errnoName,
      code,
    })
})

test('a batch with a refused message in the middle reports it, and carries out the others', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const batch = route.batch(({ links }) => {
    for (const name of ['br0', 'br1', 'br1', 'br2']) links.add(bridge({ name }))
  })
  await expect(batch).rejects.toMatchObject({ message: 'create bridge br1: File exists', others: [] })
  expect((await ipJson(namespace, ['link'])).map(({ ifname }) => ifname)).toEqual(['lo', 'br0', 'br1', 'br2'])
})

test('300 failures in one batch are all reported, and no answer is lost', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const batch = route.batch(({ links }) => {
    for (let n = 0; n < 300; n++) links.change({ name: `none${n}`, mtu: 1500 })
  })
  const failure = await batch.catch(thrown => thrown)
  expect(failure.message).toBe('change link none0: No such device (and 299 more of 300 failed)')
  expect(failure.others.map(({ target }: { target: string }) => target)).toEqual(
    Array.from({ length: 299 }, (_, n) => `none${n + 1}`),
  )
})

test('a veth that is to come up at once in another namespace is refused', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const spec = veth({ name: 'a', up: true, namespace, peer: { name: 'b' } })
  await expect(route.links.add(spec)).rejects.toMatchObject({ code: 'LINK_SETTING', kind: 'usage' })
})

/**
 * Uses links and qdiscs that the library can encode, on whatever kernel runs this: it checks the error of
 * those that the kernel lacks.
 */
test('a feature that the kernel lacks is named with its kernel option', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const { links, qdiscs, filters } = route
  await links.add(veth({ name: 'a', index: 100, peer: { name: 'b' } }))
  await qdiscs.add({ link: 'a', kind: 'ingress' })
  const attempts: [attempt: () => Promise<void>, code: string, option: string][] = [
    [() => qdiscs.add({ link: 'a', kind: 'netem', delay: 1000 }), 'QDISC_MISSING', 'CONFIG_NET_SCH_NETEM'],
    [() => qdiscs.add({ link: 'a', kind: 'fq_codel' }), 'QDISC_MISSING', 'CONFIG_NET_SCH_FQ_CODEL'],
    [() => qdiscs.add({ link: 'a', kind: 'tbf', ...bucket }), 'QDISC_MISSING', 'CONFIG_NET_SCH_TBF'],
    [() => links.add(dummy({ name: 'c' })), 'LINK_KIND_MISSING', 'CONFIG_DUMMY'],
    [() => links.add(vlan({ name: 'd', link: 'a', id: 5 })), 'LINK_KIND_MISSING', 'CONFIG_VLAN_8021Q'],
    [() => links.add(vrf({ name: 'e', table: 100 })), 'LINK_KIND_MISSING', 'CONFIG_NET_VRF'],
    [() => links.add(bond({ name: 'f', mode: '802.3ad' })), 'LINK_KIND_MISSING', 'CONFIG_BONDING'],
    [
      () => filters.add({ link: 'a', parent: 'ingress', kind: 'matchall', redirect: 'b' }),
      'FILTER_MISSING',
      'CONFIG_NET_CLS_MATCHALL',
    ],
  ]
  for (const [attempt, code, option] of attempts) {
    const refusal = await attempt().catch(thrown => thrown)
    if (refusal === undefined) continue // this kernel has it
    expect(refusal).toMatchObject({ code, kind: 'prerequisite' })
    expect(refusal.message).toMatch(
      /^(add|create) \S+ .*(kind is unknown|Unknown device type|not found)\. This kernel/,
    )
    expect(refusal.message).toContain(option)
  }
})

const bucket = { rate: 1e6, burst: 5000, limit: 30_000 }

test('a missing kernel feature is named when it is one of several failures of a batch', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const batch = route.batch(({ links }) => {
    links.change({ name: 'nobody', up: true })
    links.add({ name: 'x', kind: 'nonsense' })
  })
  const refusal = await batch.catch(thrown => thrown)
  expect(refusal).toMatchObject({ code: 'NETLINK_NOT_FOUND', others: [{ code: 'LINK_KIND_MISSING' }] })
})
