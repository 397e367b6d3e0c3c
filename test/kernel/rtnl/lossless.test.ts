import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import { NetlinkError, openRoute, type Route, type RuleSpec } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ipJson } from '../../support/namespace.ts'
import { addressAsIp } from './as-ip/addresses.ts'
import { linkAsIp, withoutTimers } from './as-ip/links.ts'
import * as objects from './as-ip/objects.ts'
import { routeAsIp, type Shown } from './as-ip/routes.ts'
import { ruleAsIp } from './as-ip/rules.ts'

const { links, addresses, nextHops, routes, rules } = objects

/** Carries out lines of ip(8) in the namespace, those of IPv6 (`-6 …`) last. */
function make(namespace: NetNamespace, ...lines: readonly (readonly string[])[]): void {
  const [six, rest]: [string[], string[]] = [[], []]
  for (const line of lines.flat()) (line.startsWith('-6 ') ? six : rest).push(line.replace(/^-6 /, ''))
  for (const [family, some] of [
    ['-4', rest],
    ['-6', six],
  ] as const)
    execFileSync(
      'nsenter',
      [`--net=${namespace.path}`, 'ip', ...(family === '-6' ? [family] : []), '-batch', '-'],
      {
        input: `${some.join('\n')}\n`,
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    )
}

/** The first `dst` of an encapsulated route is lost in ip's JSON, which names the outer destination so too. */
const comparable = ({ nh_info: _, ...shown }: Shown) => shown

const byText = (all: readonly Shown[]) => all.map(one => JSON.stringify(one, Object.keys(one).sort())).sort()

const byAddress = (a: { address: string }, b: { address: string }) => (a.address < b.address ? -1 : 1)

async function listedRoutes(route: Route) {
  return await route.routes.list({ table: 0, names: true })
}

test('every route that ip can make is listed with all that ip shows of it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses, nextHops, routes)
  const ours = (await listedRoutes(route)).map(routeAsIp)
  const theirs: Shown[] = []
  for (const family of ['-4', '-6'])
    theirs.push(...(await ipJson(namespace, [family, '-N', '-d', 'route', 'show', 'table', 'all'])))
  expect(ours.length).toBeGreaterThan(routes.length)
  const near = (shown: Shown) => ({ ...shown, ...('expires' in shown && { expires: 'soon' }) })
  for (const [at, shown] of theirs.entries()) expect(near(ours[at]!)).toEqual(near(comparable(shown)))
  expect(ours).toHaveLength(theirs.length)
})

test('every link that ip can make is listed with all that ip shows of it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, objects.kinds)
  const steady = (shown: Shown) => {
    const { info_data, info_slave_data, ...rest } = (shown.linkinfo ?? {}) as Record<string, Shown>
    return {
      ...shown,
      linkinfo: {
        ...rest,
        ...(info_data && { info_data: withoutTimers(info_data) }),
        ...(info_slave_data && { info_slave_data: withoutTimers(info_slave_data) }),
      },
    }
  }
  const listed = async () => {
    const ours = await route.links.list({ names: true })
    const nameOf = (index: number) => ours.find(link => link.index === index)?.name
    return ours.map(link => steady(linkAsIp(link, nameOf)))
  }
  // The carrier of new links is still being reported: both must have listed one state.
  let [ours, theirs, after]: [Shown[], Shown[], Shown[]] = [[], [], await listed()]
  for (let tries = 0; tries < 20 && JSON.stringify(ours) !== JSON.stringify(after); tries++) {
    ours = after
    theirs = (await ipJson(namespace, ['-N', '-d', 'link', 'show'])).map(steady)
    after = await listed()
  }
  expect(ours).toEqual(theirs)
  expect(ours.length).toBeGreaterThan(10)
})

test('every address that ip can make is listed with all that ip shows of it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses)
  const found = await ipJson<{ addr_info: Shown[] }>(namespace, ['-N', '-d', 'address', 'show'])
  const near = (shown: Shown) =>
    shown.dynamic ? { ...shown, valid_life_time: 'soon', preferred_life_time: 'soon' } : shown
  const theirs = found.flatMap(({ addr_info }) => addr_info).map(near)
  const ours = await route.addresses.list({ names: true })
  expect(byText(ours.map(addressAsIp).map(near))).toEqual(byText(theirs))
  expect(ours.filter(({ linkName }) => linkName === 'v0')).toHaveLength(addresses.length)
  expect(ours.find(({ label }) => label === 'v0:x')).toMatchObject({ secondary: true, permanent: false })
  const [limited] = ours.filter(({ address }) => address === '10.0.0.2')
  expect(limited?.validLifetime).toBeGreaterThan(limited?.preferredLifetime ?? 1000)
})

test('every rule that ip can make is listed with all that ip shows of it', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, rules)
  const theirs: Shown[] = []
  for (const family of ['-4', '-6'])
    theirs.push(...(await ipJson(namespace, [family, '-N', '-d', 'rule', 'show'])))
  expect((await route.rules.list()).map(ruleAsIp)).toEqual(theirs)
})

test('a rule, removed and added again as it was listed, is the same rule', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, rules)
  const before = await route.rules.list()
  const own = before.filter(({ priority }) => priority >= 40 && priority < 70)
  expect(own).toHaveLength(rules.length)
  for (const rule of own) {
    await route.rules.remove(rule)
    const without = await route.rules.list()
    expect(without).toEqual(before.filter(one => one !== rule))
    await route.rules.add(rule)
    expect(await route.rules.list()).toEqual(before)
  }
})

/** Rules that iproute2 6.1 cannot make. */
const newRules: RuleSpec[] = [
  { family: 4, dscp: 0x2e, table: 100 },
  { family: 4, dscp: 0x20, dscpMask: 0x38, table: 100 },
  { family: 6, flowLabel: 0x77, table: 100 },
  { family: 6, flowLabel: 0x70, flowLabelMask: 0xff0, table: 100 },
  { family: 4, ipProtocol: 6, sourcePorts: 0x1000, sourcePortMask: 0xf000, table: 100 },
  { family: 6, ipProtocol: 6, destinationPorts: 0x1000, destinationPortMask: 0xf000, table: 100 },
]

test.for(newRules)(
  'the rule %j is listed as it was added, where the kernel knows it',
  async (rule, { skip }) => {
    await using namespace = NetNamespace.create()
    await using route = openRoute({ namespace })
    try {
      await route.rules.add({ ...rule, priority: 50 })
    } catch (refusal) {
      if (refusal instanceof NetlinkError && refusal.code === 'NETLINK_INVALID')
        skip('this kernel is older than Linux 6.15')
      throw refusal
    }
    const found = (await route.rules.list()).find(({ priority }) => priority === 50)
    expect(found).toEqual({ ...rule, priority: 50, action: 'lookup', protocol: 0 })
  },
)

test('routes, removed and added again as they were listed, are the same routes', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses, nextHops, routes)
  const before = await route.routes.list({ table: 0 })
  const own = before.filter(({ protocol }) => protocol !== 2)
  expect(own).toHaveLength(routes.length)
  const steady = (all: typeof before) => all.map(one => ({ ...one, ...(one.expires && { expires: 300 }) }))
  for (const one of own) {
    await route.routes.remove(one)
    expect(steady(await route.routes.list({ table: 0 })), one.destination).toHaveLength(before.length - 1)
    await route.routes.add(one)
    const after = await route.routes.list({ table: 0 })
    expect(new Set(steady(after).map(value => JSON.stringify(value)))).toEqual(
      new Set(steady(before).map(value => JSON.stringify(value))),
    )
  }
})

test('addresses, removed and added again as they were listed, are the same addresses', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses)
  const steady = (all: Awaited<ReturnType<typeof route.addresses.list>>) =>
    all.map(one => ({
      ...one,
      ...(one.validLifetime && { validLifetime: 1000 }),
      ...(one.preferredLifetime && { preferredLifetime: 500 }),
    }))
  const before = await route.addresses.list({ link: 'v0' })
  expect(before).toHaveLength(addresses.length)
  await route.batch(batch => {
    for (const one of [...before].reverse()) batch.addresses.remove(one)
  })
  expect(await route.addresses.list({ link: 'v0' })).toEqual([])
  const order = [...before].reverse() // IPv6 lists the newest first
  await route.batch(batch => {
    for (const one of [
      ...before.filter(({ family }) => family === 4),
      ...order.filter(({ family }) => family === 6),
    ])
      batch.addresses.add(one)
  })
  expect(steady(await route.addresses.list({ link: 'v0' }))).toEqual(steady(before))
})

test('neighbours, removed and added again as they were listed, are the same neighbours', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses, objects.tables)
  const listed = async () => {
    const { neighbours } = route
    const proxies = await neighbours.list({ proxy: true, names: true })
    const own = (await neighbours.list({ names: true })).filter(({ mac }) => mac?.startsWith('00:00:00:01'))
    return [...own, ...proxies].map(({ ages: _, ...rest }) => rest).sort(byAddress)
  }
  const before = await listed()
  expect(before).toHaveLength(objects.tables.length)
  const [shown] = await ipJson(namespace, ['-N', 'neigh', 'show', '10.0.0.10'])
  expect(shown).toMatchObject({ dst: '10.0.0.10', extern_learn: null, protocol: '99' })
  expect(before).toContainEqual(expect.objectContaining({ external: true, protocol: 99, linkName: 'v0' }))
  await route.batch(({ neighbours }) => {
    for (const one of before) neighbours.remove(one)
    for (const one of before) neighbours.add(one)
  })
  expect(await listed()).toEqual(before)
})

test('a look-up that a route refuses is NETLINK_REFUSED, and says of which type the route is', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  make(namespace, links, addresses)
  for (const [at, [type, reason]] of Object.entries({
    unreachable: /No route to host/,
    prohibit: /Permission denied: the route is of type prohibit$/,
    blackhole: /Invalid argument: the route is of type blackhole$/,
  }).entries()) {
    await route.routes.add({ destination: `10.9${at}.0.0/16`, type: type as 'prohibit' })
    await route.routes.add({ destination: `fd9${at}::/64`, type: type as 'prohibit' })
    for (const to of [`10.9${at}.0.1`, `fd9${at}::1`]) {
      const refused = route.routes.get(to)
      await expect(refused).rejects.toMatchObject({ code: 'NETLINK_REFUSED', target: to })
      await expect(refused).rejects.toThrow(reason)
    }
  }
})
