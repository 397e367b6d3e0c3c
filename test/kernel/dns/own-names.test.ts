import { describe, expect } from 'vitest'
import { type DnsOptions, describeAnswer, lookUp, openDns } from '../../../src/dns/index.ts'
import { reverseName } from '../../../src/dns/names/reverse.ts'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'

function serve(upstream: FakeUpstream, options: DnsOptions = {}) {
  return openDns({ listen: ['127.0.0.1:0'], upstreams: [upstream.address], loopCheck: false, ...options })
}

async function ask(port: number, name: string, type = 'A') {
  const answer = describeAnswer(await lookUp({ name, type, server: `127.0.0.1:${port}` }))!
  // A negative answer has an SOA, which is not an answer.
  return [answer.rcode, ...answer.records.flatMap(record => (record.type === 'SOA' ? [] : [record.data]))]
}

describe('a name that concerns this machine or its site alone is answered without an upstream:', () => {
  test.each([
    ['localhost', 'A', ['NOERROR', '127.0.0.1']],
    ['LocalHost', 'AAAA', ['NOERROR', '::1']],
    ['localhost', 'MX', ['NOERROR']],
    ['a.b.localhost', 'A', ['NOERROR', '127.0.0.1']],
    ['1.0.0.127.in-addr.arpa', 'PTR', ['NOERROR', 'localhost.']],
    [reverseName('::1'), 'PTR', ['NOERROR', 'localhost.']],
    ['0.0.127.in-addr.arpa', 'PTR', ['NOERROR']],
    ['2.0.0.127.in-addr.arpa', 'PTR', ['NXDOMAIN']],
    ['invalid', 'A', ['NXDOMAIN']],
    ['a.invalid', 'A', ['NXDOMAIN']],
    ['a.onion', 'AAAA', ['NXDOMAIN']],
    ['10.in-addr.arpa', 'SOA', ['NOERROR']],
    ['3.2.1.10.in-addr.arpa', 'PTR', ['NXDOMAIN']],
    ['1.1.31.172.in-addr.arpa', 'PTR', ['NXDOMAIN']],
    [reverseName('fd12::1'), 'PTR', ['NXDOMAIN']],
    [reverseName('fe80::1'), 'PTR', ['NXDOMAIN']],
  ])('%s %s', async (name, type, expected) => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream)
    expect(await ask(dns.port, name, type)).toEqual(expected)
    expect(upstream.asked).toEqual([])
  })
})

test('names near the special ones, and those that a zone is given for, go to their servers', async () => {
  await using upstream = await FakeUpstream.open()
  await using special = await FakeUpstream.open()
  const zones = ['onion', 'localhost', '1.10.in-addr.arpa', '168.192.in-addr.arpa'].map(domain => ({
    domain,
    upstreams: [special.address],
  }))
  await using dns = await serve(upstream, { zones })
  const near = ['xonion', 'localhost.example', '1.1.32.172.in-addr.arpa', '1.11.in-addr.arpa']
  const given = ['a.onion', 'localhost', '2.1.10.in-addr.arpa', '1.0.168.192.in-addr.arpa']
  for (const name of [...near, ...given]) expect(await ask(dns.port, name)).toEqual(['NOERROR', '192.0.2.1'])
  expect(await ask(dns.port, '2.2.10.in-addr.arpa')).toEqual(['NXDOMAIN'])
  expect(upstream.asked.map(({ name }) => name)).toEqual(near)
  expect(special.asked.map(({ name }) => name)).toEqual(given)
})

test('a hosts file or a node names what a special domain would not', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream)
  dns.setHosts({ hosts: [{ name: 'gate.localhost', addresses: ['10.1.2.3'] }] })
  expect(await ask(dns.port, 'gate.localhost')).toEqual(['NOERROR', '10.1.2.3'])
  expect(await ask(dns.port, '3.2.1.10.in-addr.arpa', 'PTR')).toEqual(['NOERROR', 'gate.localhost.'])
  expect(await ask(dns.port, '4.2.1.10.in-addr.arpa', 'PTR')).toEqual(['NXDOMAIN'])
})

test('a name with own names below it exists, without data', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream)
  dns.setHosts({
    hosts: [{ name: 'a.b.lab.example', addresses: ['198.18.5.7', '2001:db8:9::15'] }],
    ours: /(^|\.)lab\.example$/,
    nets: ['198.18.0.0/16', '2001:db8:9::/48'],
  })
  const existing = ['b.lab.example', 'lab.example', '5.18.198.in-addr.arpa', '18.198.in-addr.arpa']
  const nibbles = reverseName('2001:db8:9::15')
  for (const name of [...existing, nibbles.slice(2), nibbles.slice(4), nibbles.slice(40)])
    expect([name, await ask(dns.port, name)]).toEqual([name, ['NOERROR']])
  for (const name of ['c.lab.example', 'x.a.b.lab.example', '6.18.198.in-addr.arpa', `2.${nibbles.slice(4)}`])
    expect([name, await ask(dns.port, name)]).toEqual([name, ['NXDOMAIN']])
  dns.setHosts({ hosts: [], ours: /(^|\.)lab\.example$/ })
  expect(await ask(dns.port, 'b.lab.example')).toEqual(['NXDOMAIN'])
  expect(upstream.asked).toEqual([])
})
