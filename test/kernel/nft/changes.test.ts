import { expect } from 'vitest'
import {
  accept,
  counter,
  drop,
  inSet,
  jump,
  masquerade,
  match,
  openNft,
  range,
  type Transaction,
  verdictMap,
} from '../../../src/nft/index.ts'
import { openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

const table = { family: 'inet', name: 'xcluster' } as const
const chain = 'c'

const listed = async (namespace: NetNamespace) =>
  (await inNamespace(namespace, ['nft', 'list', 'ruleset'])).stdout

function base({ tables, chains }: Transaction): void {
  tables.add(table)
  chains.add({ table, name: chain, hook: 'forward', priority: 'filter', policy: 'drop' })
}

test('a listing has the tables, chains, rules and sets that were added', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  expect(await nft.list()).toMatchObject({ tables: [] })
  const elements = ['10.0.0.0/8']
  await nft.transaction(transaction => {
    base(transaction)
    const { sets, chains, rules } = transaction
    chains.add({ table, name: 'web' })
    sets.add({
      table,
      name: 'nets',
      type: 'ipv6_addr',
      interval: true,
      elements: ['fd00::/64', range('fe80::1', 'fe80::5'), 'ff02::1', 'ffff::/16'],
    })
    sets.add({ table, name: 'v4', type: 'ipv4_addr', interval: true, elements })
    sets.add({ table, name: 'cards', type: 'ether_addr', elements: ['00:00:00:01:00:01'] })
    sets.addMap({
      table,
      name: 'ports',
      type: 'inet_service',
      to: 'verdict',
      elements: [
        [22, accept()],
        [80, jump('web')],
      ],
    })
    rules.add({ table, chain, statements: [match.ip6.saddr(inSet('nets')), counter(), accept()] })
    rules.add({ table, chain, statements: [verdictMap(match.tcp.dport, inSet('ports'))], comment: 'ports' })
  })
  const { tables } = await nft.list({ family: 'inet', table: 'xcluster' })
  const [only] = tables
  expect(tables).toHaveLength(1)
  expect(only).toMatchObject({ family: 'inet', name: 'xcluster', dormant: false })
  expect(only?.chains).toMatchObject([
    { name: 'c', type: 'filter', hook: 'forward', priority: 0, policy: 'drop' },
    { name: 'web', rules: [] },
  ])
  expect(only?.chains[0]?.rules.map(({ comment }) => comment)).toEqual([undefined, 'ports'])
  expect(only?.chains[0]?.rules[1]?.expressions).toEqual([
    { kind: 'meta', key: 'l4proto', destination: 1 },
    { kind: 'cmp', source: 1, operation: 'eq', data: { value: Uint8Array.of(6) } },
    { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
    { kind: 'lookup', set: 'ports', source: 1, destination: 0, flags: 0 },
  ])
  const sets = Object.fromEntries(only!.sets.map(set => [set.name, set]))
  expect(sets.nets).toMatchObject({ type: 'ipv6_addr', interval: true, anonymous: false })
  expect(sets.nets?.elements.map(({ key }) => key)).toEqual([
    'fd00::/64',
    { from: 'fe80::1', to: 'fe80::5' },
    'ff02::1',
    'ffff::/16',
  ])
  expect(sets.cards?.elements).toEqual([{ key: '00:00:00:01:00:01' }])
  expect(sets.ports).toMatchObject({ type: 'inet_service', to: 'verdict' })
  expect(sets.ports?.elements).toEqual(
    expect.arrayContaining([
      { key: 22, value: { code: 'accept' } },
      { key: 80, value: { code: 'jump', chain: 'web' } },
    ]),
  )
})

test('a transaction is applied as a whole or not at all, and its error names the refused part', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await nft.transaction(base)
  const before = await listed(namespace)
  const failing = nft.transaction(({ rules, chains }) => {
    rules.add({ table, chain, statements: [accept()] })
    rules.add({ table, chain, statements: [match.ip.saddr(inSet('blocked')), drop()] })
    rules.add({ table, chain, statements: [jump('nowhere')] })
    chains.add({ table, name: 'web' })
  })
  await expect(failing).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    op: 'add rule',
    target: 'inet xcluster c: ip saddr @blocked drop',
    attribute: 'expressions.3',
    others: [{ target: 'inet xcluster c: jump nowhere' }],
  })
  expect(await listed(namespace)).toBe(before)
  const elsewhere = { family: 'ip', name: 'none' } as const
  await expect(
    nft.transaction(({ chains }) => chains.add({ table: elsewhere, name: 'c' })),
  ).rejects.toMatchObject({ op: 'add chain', target: 'ip none c', errnoName: 'ENOENT', attribute: 'table' })
  await expect(nft.transaction(({ tables }) => tables.create(table))).rejects.toMatchObject({
    code: 'NETLINK_EXISTS',
    op: 'create table',
  })
})

test('rules have handles, by which they are removed, replaced and ordered', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  const [one, two] = await nft.transaction(transaction => {
    base(transaction)
    transaction.rules.add({ table, chain, statements: [match.mark(1), accept()] })
    transaction.rules.add({ table, chain, statements: [match.mark(2, 3), accept()], comment: 'two' })
  })
  expect(two).toMatchObject({ table, chain, comment: 'two' })
  await nft.transaction(({ rules }) => {
    rules.add({ table, chain, statements: [match.mark(4)], after: one!.handle })
    rules.add({ table, chain, statements: [match.mark(5)], before: one!.handle })
    rules.add({ table, chain, statements: [match.mark(6)], first: true })
    rules.replace({ table, chain, handle: two!.handle, statements: [match.mark(7)] })
  })
  const marks = async () =>
    Array.from((await listed(namespace)).matchAll(/meta mark (\S+)/g), ([, mark]) => Number(mark))
  expect(await marks()).toEqual([6, 5, 1, 4, 7])
  await nft.transaction(({ rules }) => rules.remove(one!))
  expect(await marks()).toEqual([6, 5, 4, 7])
  await nft.transaction(({ chains }) => chains.flush({ table, name: chain }))
  expect(await marks()).toEqual([])
  const [found] = (await nft.list()).tables
  await nft.transaction(({ chains, tables }) => {
    chains.remove({ table, handle: found!.chains[0]!.handle })
    tables.remove({ family: 'inet', handle: found!.handle })
  })
  expect(await listed(namespace)).toBe('')
})

test('only its owner can change an owned table, which goes when the owner closes', async () => {
  await using namespace = NetNamespace.create()
  await using other = openNft({ namespace })
  await using owner = openNft({ namespace })
  const owned = { ...table, owner: true }
  await owner.transaction(({ tables }) => tables.replace(owned))
  await owner.transaction(({ tables }) => tables.replace(owned))
  await owner.transaction(({ tables, chains }) => {
    tables.add(owned)
    chains.add({ table, name: chain, hook: 'forward' })
  })
  expect((await other.list()).tables[0]?.owner).toBeGreaterThan(0)
  await expect(other.transaction(({ tables }) => tables.remove(table))).rejects.toMatchObject({
    code: 'NETLINK_NOT_PERMITTED',
    target: 'inet xcluster',
  })
  await owner.close()
  await owner.close()
  expect(await listed(namespace)).toBe('')
  await expect(owner.list()).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
})

test('a table is replaced at once, together with its contents', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  const build = (outDev: string) => (transaction: Transaction) => {
    const { tables, chains, rules } = transaction
    tables.replace(table)
    chains.add({ table, name: 'nat', type: 'nat', hook: 'postrouting', priority: 'srcnat' })
    rules.add({ table, chain: 'nat', statements: [match.oifname(outDev), masquerade()] })
  }
  await nft.transaction(build('eth0'))
  await nft.transaction(build('eth1'))
  const text = await listed(namespace)
  expect(text).toContain('eth1')
  expect(text).not.toContain('eth0')
})

test('sets with thousands of elements are listed while another connection changes them', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using other = openNft({ namespace })
  const elements = Array.from({ length: 3000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`)
  const set = { table, name: 'many', type: 'ipv4_addr', interval: true } as const
  await nft.transaction(({ tables, sets }) => {
    tables.add(table)
    sets.add({ ...set, elements: elements.filter((_, at) => at % 2 === 0) })
  })
  const changing = (async () => {
    for (let at = 1; at < 40; at += 2)
      await other.transaction(({ sets }) => {
        sets.removeElements({ ...set, elements: [elements[at - 1]!] })
        sets.addElements({ ...set, elements: [elements[at]!] })
      })
  })()
  for (let tries = 0; tries < 5; tries++)
    expect((await nft.list()).tables[0]?.sets[0]?.elements).toHaveLength(1500)
  await changing
  const heads = await nft.list({ elements: false })
  expect(heads.tables[0]?.sets).toMatchObject([{ name: 'many', interval: true, elements: [] }])
  await nft.transaction(({ sets }) => sets.flush(set))
  expect((await nft.list()).tables[0]?.sets[0]?.elements).toEqual([])
})

test('chains can be at devices, and at the ingress of an inet table', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using route = openRoute({ namespace })
  await route.links.add(veth({ name: 'a', peer: { name: 'b' } }))
  const early = { family: 'netdev', name: 'early' } as const
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(early)
    tables.add({ ...table, dormant: true })
    chains.add({ table: early, name: 'in', hook: 'ingress', devices: ['a', 'b'], priority: -500 })
    chains.add({ table, name: 'in', hook: 'ingress', devices: ['a'] })
    rules.add({ table: early, chain: 'in', statements: [match.protocol('lldp'), accept()] })
  })
  const found = Object.fromEntries((await nft.list()).tables.map(each => [each.name, each]))
  const at = { type: 'filter', hook: 'ingress', policy: 'accept' }
  expect(found.early?.chains).toMatchObject([{ ...at, devices: ['a', 'b'], priority: -500 }])
  expect(found.xcluster).toMatchObject({ dormant: true, chains: [{ ...at, devices: ['a'], priority: 0 }] })
  expect(await listed(namespace)).toMatch(/devices = \{ "?a"?, "?b"? \} priority -500/)
})

test('what may be missing is removed without an error', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  const gentle = { ifExists: true }
  const remove = (options?: typeof gentle) =>
    nft.transaction(({ tables, chains, sets, objects }) => {
      tables.add(table)
      chains.remove({ table, name: 'c' }, options)
      sets.remove({ table, name: 's' }, options)
      objects.remove({ table, name: 'o', type: 'counter' }, options)
      tables.remove({ family: 'ip', name: 'none' }, options)
    })
  await expect(remove()).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND', others: { length: 3 } })
  await remove(gentle)
  const set = { table, name: 's', type: 'inet_service' } as const
  await nft.transaction(({ sets, chains, objects }) => {
    chains.add({ table, name: 'c' })
    sets.add({ ...set, elements: [1, 2] })
    objects.add({ table, name: 'o', type: 'counter' })
  })
  await nft.transaction(({ sets }) => sets.removeElements({ ...set, elements: [2, 3] }, gentle))
  expect((await nft.list()).tables[0]?.sets[0]?.elements).toEqual([{ key: 1 }])
  await remove(gentle)
  expect((await nft.list()).tables).toMatchObject([{ chains: [], sets: [], objects: [] }])
  await nft.transaction(({ tables }) => tables.removeAll())
  expect((await nft.list()).tables).toEqual([])
})

test('a persistent table stays when its owner closes, and another connection can own it', async () => {
  await using namespace = NetNamespace.create()
  await using other = openNft({ namespace })
  const owned = { ...table, owner: true, persistent: true, comment: 'mine' }
  {
    await using owner = openNft({ namespace })
    await owner.transaction(({ tables }) => tables.add(owned))
    await expect(other.transaction(({ tables }) => tables.remove(table))).rejects.toMatchObject({
      code: 'NETLINK_NOT_PERMITTED',
    })
  }
  const [orphan] = (await other.list()).tables
  expect(orphan).toMatchObject({ persistent: true, comment: 'mine' })
  expect(orphan?.owner).toBeUndefined()
  await other.transaction(({ tables }) => tables.add(owned))
  expect((await other.list()).tables[0]?.owner).toBeGreaterThan(0)
})
