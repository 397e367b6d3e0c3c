import { expect } from 'vitest'
import {
  connectionCount,
  counter,
  drop,
  dup,
  forward,
  match,
  type Nft,
  notrack,
  openNft,
  quota,
  range,
  reject,
  type Statement,
  setCtZone,
  setPriority,
} from '../../../src/nft/index.ts'
import { openRoute, type Route, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

const table = { family: 'inet', name: 't' } as const
const request = match.icmp.type('echo-request')

/** The packets of each counter in a chain, in order. */
async function counts(nft: Nft, chain: string): Promise<(bigint | undefined)[]> {
  const chains = (await nft.list()).tables.flatMap(each => each.chains)
  const { rules } = chains.find(({ name }) => name === chain)!
  return rules.flatMap(({ expressions }) =>
    expressions.flatMap(one => (one.kind === 'counter' ? [one.packets] : [])),
  )
}

const ping = (namespace: NetNamespace, address: string) =>
  inNamespace(namespace, ['ping', '-c', '1', '-W', '1', address]).then(
    () => true,
    () => false,
  )

test('packets are kept out of conntrack, put into zones, and matched by routes, hashes and connections', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  const { ct, ip, pkttype, symhash, jhash } = match
  const counted: readonly (readonly Statement[])[] = [
    [ct.state('untracked')],
    [ct.zone(5)],
    [match.route(['daddr'], 'exists')(1)],
    [match.route(['daddr'], 'type')('local')],
    [match.route(['daddr', 'iif'], 'type')('local')],
    [jhash(ip.saddr, { modulus: 4, seed: 7 })(range(0, 3))],
    [jhash(ip.saddr, { modulus: 4, offset: 100 })(range(0, 3))],
    [symhash({ modulus: 2 })(range(0, 1))],
    [match.length(84)],
    [pkttype('broadcast')],
    [connectionCount({ count: 5 })],
    [quota({ bytes: 1000n })],
    [quota({ bytes: 1000n, over: true })],
  ]
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: 'early', hook: 'output', priority: 'raw' })
    chains.add({ table, name: 'in', hook: 'input' })
    rules.add({ table, chain: 'early', statements: [request, ip.daddr('127.0.0.1'), notrack()] })
    rules.add({
      table,
      chain: 'early',
      statements: [request, ip.daddr('127.0.0.2'), setCtZone(5), setPriority(7)],
    })
    for (const statements of counted)
      rules.add({ table, chain: 'in', statements: [request, ...statements, counter()] })
  })
  const answers = [await ping(namespace, '127.0.0.1'), await ping(namespace, '127.0.0.2')]
  expect(answers).toEqual([true, true])
  const [untracked, zone, ...others] = await counts(nft, 'in')
  expect([untracked, zone]).toEqual([1n, 1n])
  expect(others).toEqual([2n, 2n, 2n, 2n, 0n, 2n, 2n, 0n, 2n, 2n, 0n])
})

test('packets are rejected in the words of their version of IP', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  const rejected = [reject({ icmp: 'host-prohibited' }), reject({ icmpv6: 'policy-fail' })]
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: 'in', hook: 'input' })
    rules.add({ table, chain: 'in', statements: [request, rejected[0]!] })
    rules.add({ table, chain: 'in', statements: [match.icmpv6.type('echo-request'), rejected[1]!] })
    rules.add({
      table,
      chain: 'in',
      statements: [match.icmp.type('destination-unreachable'), counter(), drop()],
    })
    rules.add({
      table,
      chain: 'in',
      statements: [match.icmpv6.type('destination-unreachable'), counter(), drop()],
    })
  })
  expect([await ping(namespace, '127.0.0.1'), await ping(namespace, '::1')]).toEqual([false, false])
  expect(await counts(nft, 'in')).toEqual([1n, 1n])
})

/** Two pairs of links in one namespace: what leaves at `a0` arrives at `a`, and what leaves at `b` at `b0`. */
async function pairs(route: Route): Promise<number> {
  for (const name of ['a', 'b']) await route.links.add(veth({ name, up: true, peer: { name: `${name}0` } }))
  for (const name of ['a0', 'b0']) await route.links.change({ name, up: true })
  await route.addresses.add({ link: 'a0', address: '10.9.0.1', prefix: 24 })
  const links = await route.links.list()
  return links.find(({ name }) => name === 'b')!.index
}

for (const [words, make, continues] of [
  ['dup', (device: number) => dup({ device }), true],
  ['fwd', (device: number) => forward({ device }), false],
] as const)
  test(`${words} sends packets of one interface out of another, as nft does`, async () => {
    await using namespace = NetNamespace.create()
    await using nft = openNft({ namespace })
    await using route = openRoute({ namespace })
    const device = await pairs(route)
    const early = { family: 'netdev', name: 'early' } as const
    const arp = match.protocol('arp')
    await nft.transaction(({ tables, chains, rules }) => {
      tables.add(early)
      chains.add({ table: early, name: 'from', hook: 'ingress', devices: ['a'] })
      chains.add({ table: early, name: 'to', hook: 'ingress', devices: ['b0'] })
      rules.add({ table: early, chain: 'from', statements: [arp, make(device)] })
      rules.add({ table: early, chain: 'from', statements: [arp, counter()] })
      rules.add({ table: early, chain: 'to', statements: [arp, counter()] })
    })
    expect(await ping(namespace, '10.9.0.2')).toBe(false)
    const [copies, there] = [await counts(nft, 'from'), await counts(nft, 'to')]
    expect(there[0]).toBeGreaterThan(0n)
    expect(copies[0]! > 0n).toBe(continues)
    const { stdout } = await inNamespace(namespace, ['nft', 'list', 'ruleset'])
    expect(stdout).toContain(`${words} to "b"`)
  })
