import { expect } from 'vitest'
import { ifb, openRoute, type Qdisc, type Route, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'

/** Two namespaces connected by a veth pair: `a` (10.0.0.1) here, `b` (10.0.0.2) there. */
async function vethPair(): Promise<{ here: NetNamespace; route: Route } & AsyncDisposable> {
  const [here, there] = [NetNamespace.create(), NetNamespace.create()]
  const [route, far] = [openRoute({ namespace: here }), openRoute({ namespace: there })]
  await route.links.add(veth({ name: 'a', peer: { name: 'b', namespace: there } }))
  await far.links.change({ name: 'b', up: true })
  await route.links.change({ name: 'a', up: true })
  await route.addresses.add({ link: 'a', address: '10.0.0.1', prefix: 24 })
  await far.addresses.add({ link: 'b', address: '10.0.0.2', prefix: 24 })
  return {
    here,
    route,
    async [Symbol.asyncDispose]() {
      for (const each of [route, far, here, there]) await each.close()
    },
  }
}

interface TcQdisc {
  readonly kind: string
  readonly handle: string
  readonly parent?: string
  readonly root?: true
  readonly options: Record<string, unknown>
}
const tc = async (namespace: NetNamespace, ...args: string[]) =>
  (await inNamespace(namespace, ['tc', ...args])).stdout
const tcQdiscs = async (namespace: NetNamespace): Promise<TcQdisc[]> =>
  JSON.parse(await tc(namespace, '-j', 'qdisc', 'show', 'dev', 'a'))

/** Sends `count` packets of 1,000 bytes plus headers to the other end, where no socket listens. */
const send = (namespace: NetNamespace, count: number) =>
  inNamespace(namespace, [
    'bash',
    '-c',
    `for ((i = 0; i < ${count}; i++)); do printf '%01000d' $i >/dev/udp/10.0.0.2/9; done`,
  ])

const rootOf = (qdiscs: readonly Qdisc[]) => qdiscs.find(({ parent }) => parent === 'root')

test('a token bucket is added, changed, replaced and removed, as tc shows', async () => {
  await using world = await vethPair()
  const { here, route } = world
  const { qdiscs } = route
  const bucket = { link: 'a', kind: 'tbf', burst: 32_000 } as const
  await qdiscs.add({ ...bucket, handle: '1:', rate: 8e6, latency: 50_000 })
  expect(await tcQdiscs(here)).toMatchObject([
    { kind: 'tbf', handle: '1:', root: true, options: { rate: 1e6, burst: 32_000, lat: 50_000 } },
  ])
  expect(rootOf(await qdiscs.list({ link: 'a' }))).toMatchObject({
    ...{ kind: 'tbf', handle: '1:', parent: 'root' },
    settings: { kind: 'tbf', rate: 8e6, burst: 32_000, limit: 82_000 },
    statistics: { drops: 0, overlimits: 0 },
  })
  await qdiscs.change({ ...bucket, handle: '1:', rate: 4e6, limit: 90_000 })
  expect((await tcQdiscs(here))[0]?.options).toMatchObject({ rate: 5e5 })
  await expect(qdiscs.add({ ...bucket, rate: 8e6, limit: 90_000 })).rejects.toMatchObject({
    code: 'NETLINK_EXISTS',
  })
  await qdiscs.replace({
    link: 'a',
    kind: 'tbf',
    rate: 2e6,
    burst: 5000,
    limit: 9000,
    peakRate: 3e6,
    mtu: 1600,
  })
  expect(rootOf(await qdiscs.list())?.settings).toMatchObject({ rate: 2e6, peakRate: 3e6, mtu: 1600 })
  await qdiscs.replace({ link: 'a', kind: 'pfifo', limit: 33 })
  expect(await tcQdiscs(here)).toMatchObject([{ kind: 'pfifo', options: { limit: 33 } }])
  await qdiscs.remove({ link: 'a' })
  expect((await tcQdiscs(here)).map(({ kind }) => kind)).toEqual(['noqueue'])
  await expect(qdiscs.remove({ link: 'a' })).rejects.toThrow('remove qdisc a root: ')
})

test('packets that exceed a token bucket are dropped and counted', async () => {
  await using world = await vethPair()
  const { here, route } = world
  await route.qdiscs.add({ link: 'a', kind: 'tbf', rate: 8000, burst: 3000, limit: 4000 })
  await send(here, 20)
  const { statistics } = rootOf(await route.qdiscs.list({ link: 'a' })) ?? {}
  expect(statistics!.drops).toBeGreaterThanOrEqual(12)
  expect(statistics!.queued).toBeGreaterThan(0)
  expect(statistics!.backlog).toBeGreaterThanOrEqual(1000)
  expect(statistics!.overlimits).toBeGreaterThan(0)
})

test('classes of an htb get packets by filters, and one has a qdisc inside', async () => {
  await using world = await vethPair()
  const { here, route } = world
  await route.batch(({ qdiscs, classes, filters }) => {
    qdiscs.add({ link: 'a', kind: 'htb', handle: '1:', default: 0x20 })
    classes.add({ link: 'a', id: '1:1', rate: 10e6 })
    classes.add({ link: 'a', id: '1:10', parent: '1:1', rate: 2e6, ceil: 10e6, burst: 20_000, priority: 1 })
    classes.add({ link: 'a', id: '1:20', parent: '1:1', rate: 8e6, quantum: 3000 })
    qdiscs.add({ link: 'a', kind: 'pfifo', parent: '1:10', handle: '100:', limit: 44 })
    filters.add({
      link: 'a',
      parent: '1:',
      priority: 5,
      to: '10.0.0.2/32',
      from: '10.0.0.0/24',
      classId: '1:10',
    })
    filters.add({ link: 'a', parent: '1:', priority: 6, to: 'fd00::/64', classId: '1:20' })
  })
  const text = await tc(here, 'class', 'show', 'dev', 'a')
  expect(text).toContain('class htb 1:1 root rate 10Mbit ceil 10Mbit')
  expect(text).toMatch(/class htb 1:10 parent 1:1 leaf 100: prio 1 rate 2Mbit ceil 10Mbit burst 20000b/)
  const filters = JSON.parse(await tc(here, '-j', 'filter', 'show', 'dev', 'a'))
  expect(filters.filter(({ options }: { options?: { flowid?: string } }) => options?.flowid)).toMatchObject([
    { protocol: 'ip', pref: 5, options: { flowid: '1:10' } },
    { protocol: 'ipv6', pref: 6, options: { flowid: '1:20' } },
  ])
  expect(await route.filters.list({ link: 'a' })).toMatchObject([
    {
      protocol: 'ip',
      priority: 5,
      classId: '1:10',
      keys: [{ offset: 12 }, { offset: 16, value: 0x0a000002 }],
    },
    { protocol: 'ipv6', priority: 6, classId: '1:20' },
  ])
  await send(here, 3)
  const classes = await route.classes.list('a')
  const found = classes.find(({ id }) => id === '1:10')
  expect(found).toMatchObject({ parent: '1:1', leaf: '100:', rate: 2e6, ceil: 10e6, burst: 20_000 })
  expect(found?.statistics?.packets).toBeGreaterThanOrEqual(3)
  await route.classes.change({ link: 'a', id: '1:10', parent: '1:1', rate: 3e6 })
  expect(await tc(here, 'class', 'show', 'dev', 'a')).toContain('rate 3Mbit ceil 3Mbit')
  await route.filters.remove({ link: 'a', parent: '1:', priority: 5, protocol: 'ip' })
  await route.classes.remove({ link: 'a', id: '1:10' })
  expect((await route.classes.list('a')).map(({ id }) => id).sort()).toEqual(['1:1', '1:20'])
})

test('incoming packets are shaped through an ifb', async () => {
  await using world = await vethPair()
  const { here, route } = world
  await route.batch(({ links, qdiscs, filters }) => {
    links.add(ifb({ name: 'ifb0', index: 900, up: true }))
    qdiscs.add({ link: 'ifb0', kind: 'tbf', handle: '2:', rate: 1e6, burst: 3000, limit: 9000 })
    qdiscs.add({ link: 'a', kind: 'ingress' })
    filters.add({ link: 'a', parent: 'ingress', priority: 10, redirect: 'ifb0' })
  })
  const shown = JSON.parse(await tc(here, '-j', 'filter', 'show', 'dev', 'a', 'ingress'))
  expect(shown.at(-1)).toMatchObject({
    kind: 'u32',
    options: { actions: [{ kind: 'mirred', mirred_action: 'redirect', to_dev: 'ifb0' }] },
  })
  expect(await route.filters.list({ link: 'a', parent: 'ingress' })).toMatchObject([
    { kind: 'u32', protocol: 'all', priority: 10, redirect: 900 },
  ])
  await inNamespace(here, ['ping', '-c', '2', '-i', '0.01', '10.0.0.2'])
  const through = await waitFor(async () => {
    const { statistics } = rootOf(await route.qdiscs.list({ link: 'ifb0' })) ?? {}
    return (statistics?.packets ?? 0) >= 2 && statistics
  })
  expect(through).toMatchObject({ drops: 0 })
  await route.qdiscs.remove({ link: 'a', parent: 'ingress' })
  expect((await tcQdiscs(here)).map(({ kind }) => kind)).toEqual(['noqueue'])
})

test('a clsact has filters in both directions, and mirrors packets elsewhere', async () => {
  await using world = await vethPair()
  const { here, route } = world
  await route.batch(({ links, qdiscs, filters }) => {
    links.add(ifb({ name: 'ifb0', index: 900, up: true }))
    qdiscs.add({ link: 'a', kind: 'clsact' })
    filters.add({ link: 'a', parent: 'egress', priority: 1, mirror: 'ifb0' })
    filters.add({ link: 'a', parent: 'ingress', priority: 2, protocol: 'ip', redirect: 'ifb0' })
  })
  expect(await route.qdiscs.list({ link: 'a' })).toContainEqual(
    expect.objectContaining({ kind: 'clsact', handle: 'ffff:', parent: 'ingress' }),
  )
  const actions = async (side: string) => {
    const filters = JSON.parse(await tc(here, '-j', 'filter', 'show', 'dev', 'a', side))
    return filters.at(-1).options.actions[0].mirred_action
  }
  expect([await actions('egress'), await actions('ingress')]).toEqual(['mirror', 'redirect'])
  expect(await route.filters.list({ link: 'a', parent: 'egress' })).toMatchObject([{ mirror: 900 }])
})
