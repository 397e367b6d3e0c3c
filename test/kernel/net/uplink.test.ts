import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { openUplink, settleForwarding, type UplinkOptions } from '../../../src/net/index.ts'
import { bridge, openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace, readSysctl, writeSysctl } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { differences, internet, Outside } from '../../support/outside.ts'

const request = { ipv4Base: '172.30.0.0/24', ipv6Prefix: 'fd00:1723::' }
const sources = { ipv4: '192.168.0.0/24', ipv6: 'fd00::c0a8:0/120' }

function optionsFor(outside: Outside, inside: NetNamespace, owner = 'one'): UplinkOptions {
  return { owner, inside, outside: outside.host, sources, records: outside.records }
}

/** A namespace with the host on net 0. */
async function withNet0(): Promise<NetNamespace> {
  const namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.batch(({ links, addresses }) => {
    links.change({ name: 'lo', up: true })
    links.add(bridge({ name: 'xcbr0', up: true }))
    addresses.add({ link: 'xcbr0', address: '192.168.0.250', prefix: 24 })
    addresses.add({ link: 'xcbr0', address: 'fd00::c0a8:fa', prefix: 120, noDad: true })
  })
  return namespace
}

/** Pings from net 0, as a guest would: with an address of that net. */
const pings = (from: NetNamespace) =>
  Promise.all(
    [
      ['192.168.0.250', internet.ipv4],
      ['fd00::c0a8:fa', internet.ipv6],
    ].map(([source, to]) => inNamespace(from, ['ping', '-c1', '-W1', '-I', source!, to!])),
  )

describe('an uplink', () => {
  test('reaches the outside in both families, which is impossible without it', async () => {
    await using outside = await new Outside().connect()
    await using inside = await withNet0()
    await expect(pings(inside)).rejects.toThrow('ping -c1')
    await using uplink = await openUplink(request, optionsFor(outside, inside))
    await pings(inside)
    await uplink.close()
    await expect(pings(inside)).rejects.toThrow('ping -c1')
  })

  test('changes outside what it reports, and nothing remains after it', async () => {
    await using outside = await new Outside().connect()
    await using inside = await withNet0()
    const before = await outside.looks()
    await using uplink = await openUplink(request, optionsFor(outside, inside))
    expect(uplink.status).toEqual({
      link: 'xcluster1',
      outside: { ipv4: '172.30.0.3', ipv6: 'fd00:1723::ac1e:3' },
      inside: { ipv4: '172.30.0.2', ipv6: 'fd00:1723::ac1e:2' },
      table: 'inet xcluster_one',
      sysctls: [
        { name: 'net/ipv4/ip_forward', before: '0' },
        { name: 'net/ipv6/conf/all/forwarding', before: '0' },
      ],
    })
    const changes = differences(before, await outside.looks())
    const unknown = changes.filter(line => !/xcluster1|xcluster_one|forwarding|ip_forward|anycast/.test(line))
    expect(unknown.map(line => line.replace(/\s+/g, ' '))).toEqual([
      '- /proc/sys/net/ipv4/conf/all/accept_redirects:1', // the kernel clears it on a router
      '+ flags owner',
      '+ chain postrouting {',
      '+ type nat hook postrouting priority srcnat; policy accept;',
      '+ ip saddr 172.30.0.0/24 ip daddr != 172.30.0.0/24 masquerade',
      '+ ip6 saddr fd00:1723::ac1e:0/120 ip6 daddr != fd00:1723::ac1e:0/120 masquerade',
      '+ }',
      '+ }',
      '+ /proc/sys/net/ipv4/conf/all/accept_redirects:0',
    ])
    await uplink.close()
    expect(differences(before, await outside.looks())).toEqual([])
    expect(readdirSync(outside.records)).toEqual([])
  })

  test('restores settings that differed between families', async () => {
    await using outside = await new Outside().connect()
    await using inside = await withNet0()
    writeSysctl(outside.host, 'net/ipv4/conf/eth0/forwarding', '1')
    writeSysctl(outside.host, 'net/ipv6/conf/default/forwarding', '1')
    const before = await outside.looks()
    await using uplink = await openUplink(request, optionsFor(outside, inside))
    await uplink.close()
    expect(differences(before, await outside.looks())).toEqual([])
  })

  test('leaves forwarding on where it was on before', async () => {
    await using outside = await new Outside().connect()
    await using inside = await withNet0()
    writeSysctl(outside.host, 'net/ipv4/ip_forward', '1')
    await using uplink = await openUplink(request, optionsFor(outside, inside))
    expect(uplink.status.sysctls.map(({ name }) => name)).toEqual(['net/ipv6/conf/all/forwarding'])
    await uplink.close()
    expect(readSysctl(outside.host, 'net/ipv4/ip_forward')).toBe('1')
  })

  test('works where new interfaces have IPv6 turned off', async () => {
    await using outside = await new Outside().connect()
    await using inside = await withNet0()
    for (const namespace of [inside, outside.host])
      writeSysctl(namespace, 'net/ipv6/conf/default/disable_ipv6', '1')
    await using _ = await openUplink(request, optionsFor(outside, inside))
    await pings(inside)
  })
})

describe('several uplinks', () => {
  test('have different numbers, and forwarding stays on until the last one closes', async () => {
    await using outside = await new Outside().connect()
    await using one = await withNet0()
    await using two = await withNet0()
    const before = await outside.looks()
    await using first = await openUplink(request, optionsFor(outside, one))
    await using second = await openUplink(request, optionsFor(outside, two, 'two'))
    expect(second.status).toMatchObject({ link: 'xcluster2', sysctls: [] })
    await first.close()
    await pings(two)
    await second.close()
    expect(differences(before, await outside.looks())).toEqual([])
  })

  test('can be opened at the same moment', async () => {
    await using outside = await new Outside().connect()
    const before = await outside.looks()
    const names = ['a', 'b', 'c', 'd']
    const insides = await Promise.all(names.map(withNet0))
    const uplinks = await Promise.all(
      insides.map((inside, i) => openUplink(request, optionsFor(outside, inside, names[i]))),
    )
    expect(uplinks.map(({ status }) => status.link).sort()).toEqual([1, 2, 3, 4].map(i => `xcluster${i}`))
    await Promise.all(uplinks.map(uplink => uplink.close()))
    expect(differences(before, await outside.looks())).toEqual([])
    for (const inside of insides) await inside.close()
  })
})

/** Everything that was made before the refusal is undone. */
describe('an uplink is refused, and leaves nothing behind, for', () => {
  async function refused(
    first: Partial<UplinkOptions> & { index?: number; base?: string },
    second: { index?: number; base?: string; owner?: string },
    words: RegExp,
  ): Promise<void> {
    await using outside = await new Outside().connect()
    await using one = await withNet0()
    await using two = await withNet0()
    const on = ({ base = request.ipv4Base, index }: { base?: string; index?: number }) => ({
      ...{ ...request, ipv4Base: base },
      ...(index !== undefined && { index }),
    })
    await using _ = await openUplink(on(first), optionsFor(outside, one))
    const before = await outside.looks()
    const options = optionsFor(outside, two, second.owner ?? 'two')
    await expect(openUplink(on(second), options)).rejects.toThrow(words)
    expect(differences(before, await outside.looks())).toEqual([])
    const { stdout } = await inNamespace(two, ['ip', '-o', 'link'])
    expect(stdout).not.toContain('host')
  }

  test('a number that is taken', () =>
    refused({ index: 3 }, { index: 3 }, /create uplink xcluster3: an uplink with this number exists already/))
  test('a base that overlaps with that of another uplink', () =>
    refused(
      { base: '172.30.0.0/24' },
      { base: '172.30.0.128/25' },
      /172\.30\.0\.128\/25: they overlap with 172\.30\.0\.0\/24, the base of xcluster1 \(one\)/,
    ))
  test("a base that overlaps with the host's own network", () =>
    refused({}, { base: '203.0.113.0/28' }, /they overlap with 203\.0\.113\.0\/24, which is routed to eth0/))
  test('the name of another cluster', () =>
    refused({}, { owner: 'one' }, /create table xcluster_one: a table with this name exists already/))
  test('a number that the base has no addresses for', () =>
    refused({}, { index: 8, base: '172.31.0.0/28' }, /room for the numbers 0 to 7/))
})

test('the kernel removes an uplink with its process, and the next uplink restores the settings', async () => {
  await using outside = await new Outside().connect()
  const before = await outside.looks()
  const script = fileURLToPath(new URL('./uplink-holder.ts', import.meta.url))
  const holder = spawn(
    'nsenter',
    [`--net=${outside.host.path}`, process.execPath, '--import', 'jiti/register', script, outside.records],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = once(holder, 'exit')
  await once(holder.stdout, 'data')
  expect(await settleForwarding(outside.host, outside.records, { withinMs: 0 })).toBe(false)
  holder.kill('SIGKILL')
  await ended
  expect(await settleForwarding(outside.host, outside.records, { withinMs: 10_000 })).toBe(true)
  expect(differences(before, await outside.looks())).toEqual([])
})
