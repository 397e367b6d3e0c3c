import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { accept, masquerade, match, openNft, redirect } from '../../../src/nft/index.ts'
import { openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace, writeSysctl } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

interface End {
  readonly namespace: NetNamespace
  readonly addresses: readonly (readonly [address: string, prefix: number])[]
}

/** A veth pair between two namespaces. */
async function vethPair(name: string, a: End, b: End): Promise<void> {
  await using left = openRoute({ namespace: a.namespace })
  await using right = openRoute({ namespace: b.namespace })
  await left.links.add(veth({ name, up: true, peer: { name, namespace: b.namespace } }))
  await right.links.change({ name, up: true })
  for (const [route, end] of [
    [left, a],
    [right, b],
  ] as const)
    for (const [address, prefix] of end.addresses)
      await route.addresses.add({ link: name, address, prefix, ...(prefix > 32 && { noDad: true }) })
}

const ping = (namespace: NetNamespace, address: string) =>
  inNamespace(namespace, ['ping', '-c', '1', '-W', '1', address]).then(
    () => true,
    () => false,
  )

test('masquerading gives a net access to the outside in IPv4 and IPv6, though the outside has no route to it', async () => {
  await using inside = NetNamespace.create()
  await using between = NetNamespace.create()
  await using outside = NetNamespace.create()
  await vethPair(
    'in',
    {
      namespace: inside,
      addresses: [
        ['192.168.0.1', 24],
        ['fd00::c0a8:1', 120],
      ],
    },
    {
      namespace: between,
      addresses: [
        ['192.168.0.250', 24],
        ['fd00::c0a8:fa', 120],
      ],
    },
  )
  await vethPair(
    'out',
    {
      namespace: between,
      addresses: [
        ['172.30.0.3', 31],
        ['fd00:1723::3', 127],
      ],
    },
    {
      namespace: outside,
      addresses: [
        ['172.30.0.2', 31],
        ['fd00:1723::2', 127],
      ],
    },
  )
  await using routes = openRoute({ namespace: inside })
  await routes.routes.add({ destination: 'default', via: '192.168.0.250' })
  await routes.routes.add({ destination: 'default', via: 'fd00::c0a8:fa' })
  await writeSysctl(between, 'net/ipv4/ip_forward', '1')
  await writeSysctl(between, 'net/ipv6/conf/all/forwarding', '1')
  const both = async () => [await ping(inside, '172.30.0.2'), await ping(inside, 'fd00:1723::2')]
  expect(await both()).toEqual([false, false])

  await using nft = openNft({ namespace: between })
  const table = { family: 'inet', name: 'xcluster', owner: true } as const
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: 'nat', type: 'nat', hook: 'postrouting', priority: 'srcnat' })
    chains.add({ table, name: 'forward', hook: 'forward', policy: 'drop' })
    const froms = [match.ip.saddr('192.168.0.0/24'), match.ip6.saddr('fd00::c0a8:0/120')]
    for (const from of froms)
      rules.add({ table, chain: 'nat', statements: [match.oifname('out'), from, masquerade()] })
    rules.add({ table, chain: 'forward', statements: [match.iifname('in'), accept()] })
    const known = match.ct.state('established', 'related')
    rules.add({ table, chain: 'forward', statements: [match.iifname('out'), known, accept()] })
  })
  expect(await both()).toEqual([true, true])
})

/** Connects from inside a namespace, and prints the server's answer. */
const client = `const { connect } = require('node:net')
connect({ host: process.argv[1], port: 53 }).on('data', text => { console.log(String(text)); process.exit() })
  .on('error', failure => { console.log(failure.code); process.exit() })`
const server = `const { createServer } = require('node:net')
createServer(socket => socket.end('10053')).listen(10053, () => console.log('listening'))`

test('queries of a guest to port 53 are redirected to another local port', async () => {
  await using namespace = NetNamespace.create()
  await using other = NetNamespace.create()
  await vethPair(
    'eth0',
    { namespace, addresses: [['192.168.0.1', 24]] },
    { namespace: other, addresses: [['192.168.0.250', 24]] },
  )
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  await using nft = openNft({ namespace })
  const table = { family: 'inet', name: 'dns' } as const
  const chain = 'output'
  const to = match.ip.daddr('192.168.0.250')
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: chain, type: 'nat', hook: 'output', priority: 'dstnat' })
    for (const port of [match.udp.dport(53), match.tcp.dport(53)])
      rules.add({ table, chain, statements: [to, port, redirect({ port: 10053 })] })
  })
  const listening = spawn('nsenter', [`--net=${namespace.path}`, process.execPath, '-e', server])
  const ended = once(listening, 'exit')
  try {
    await once(listening.stdout, 'data')
    const ask = ['node', '-e', client, '192.168.0.250']
    expect((await inNamespace(namespace, ask)).stdout).toBe('10053\n')
    await nft.transaction(({ tables }) => tables.remove(table))
    expect((await inNamespace(namespace, ask)).stdout).toBe('ECONNREFUSED\n')
  } finally {
    listening.kill()
    await ended
  }
})
