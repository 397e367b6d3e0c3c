import { describe, expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import type { SettingOptions } from '../../../src/plan/index.ts'
import { address, answerTo, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { openForwarder } from './cluster-forwarder.ts'

const upstreamOff = { dnsUpstream: 'off' } as const

describe("with a domain the cluster's forwarder", () => {
  test('answers full and short names, and gives full names for addresses, over UDP and TCP', async ({
    census,
  }) => {
    {
      await using scope = new Scope()
      const { dig, notices } = await openForwarder(scope, { ...upstreamOff, domain: 'lab.test' })
      for (const transport of ['+notcp', '+tcp']) {
        expect(await dig(transport, 'vm-001.lab.test')).toEqual(['192.168.0.1'])
        expect(await dig(transport, 'VM-002.LAB.test', 'AAAA')).toEqual(['fd00::c0a8:2'])
        expect(await dig(transport, 'vm-002.1.lab.test')).toEqual(['192.168.1.2'])
        expect(await dig(transport, 'vm-001')).toEqual(['192.168.0.1'])
        expect(await dig(transport, '-x', '192.168.0.2')).toEqual(['vm-002.lab.test.'])
        expect(await dig(transport, '-x', 'fd00::192.168.1.1')).toEqual(['vm-001.1.lab.test.'])
      }
      expect(notices).toEqual([])
    }
    await census.expectUnchanged()
  })

  test('knows every name of the domain: others do not exist, and no upstream is asked for them', async () => {
    await using scope = new Scope()
    const upstream = scope.add(await FakeUpstream.open())
    const { dns, dig } = await openForwarder(scope, { dnsUpstream: upstream.address, domain: 'home.arpa' })
    const status = async (name: string) => {
      const seen = dns.query({ name })
      await dig(name)
      return (await seen).rcode
    }
    expect(await status('vm-003.home.arpa')).toBe('NXDOMAIN')
    expect(await status('any.thing.home.arpa')).toBe('NXDOMAIN')
    expect(await status('home.arpa')).toBe('NOERROR')
    expect(await dig('outside.test')).toEqual(['192.0.2.1'])
    expect(upstream.asked.map(({ name }) => name).filter(name => name.endsWith('home.arpa'))).toEqual([])
  })

  test('asks the servers of a zone in the domain, or of the domain itself, for what it does not know', async () => {
    await using scope = new Scope()
    const upstream = scope.add(await FakeUpstream.open())
    for (const zone of ['db.lab.test', 'lab.test']) {
      const options = { ...upstreamOff, domain: 'lab.test', dnsZone: `${zone}=${upstream.address}` }
      const { dig } = await openForwarder(scope, options)
      expect(await dig(`one.${zone}`)).toEqual(['192.0.2.1'])
      expect(await dig('vm-001.lab.test')).toEqual(['192.168.0.1'])
    }
  })
})

describe('a domain', () => {
  const noticesOf = async (scope: Scope, options: SettingOptions) =>
    (await openForwarder(scope, { ...upstreamOff, ...options })).notices

  test.each([
    ['local', /^DNS: the domain local is reserved: programs look .* multicast.* `domain: 'lab\.test'`$/],
    ['lab.localhost', /is reserved: programs take its names for their own machine/],
    ['a.b.onion', /is reserved: many programs refuse/],
    ['in-addr.arpa', /is reserved: it is for addresses and protocols/],
  ])('%s is reserved, which a notice says', async (domain, text) => {
    await using scope = new Scope()
    expect(await noticesOf(scope, { domain })).toEqual([expect.stringMatching(text)])
  })

  test.each(['lab.test', 'lab.home.arpa', 'internal', 'lab.example'])('%s is fine', async domain => {
    await using scope = new Scope()
    expect(await noticesOf(scope, { domain })).toEqual([])
  })

  test('that exists outside, as public suffixes do, is said; one that does not is not', async () => {
    await using scope = new Scope()
    const upstream = scope.add(
      await FakeUpstream.open(asked =>
        asked.reply(asked.name === 'co.uk' ? answerTo(asked) : answerTo(asked, { rcode: 3 })),
      ),
    )
    const dnsUpstream = upstream.address
    const { notices } = await openForwarder(scope, { dnsUpstream, domain: 'co.uk' })
    expect(await waitFor(() => notices.length > 0)).toBe(true)
    expect(notices).toEqual([
      expect.stringMatching(/^DNS: the domain co\.uk exists outside too, .*lab\.test/),
    ])
    const other = await openForwarder(scope, { dnsUpstream, domain: 'lab.test' })
    expect(await waitFor(() => upstream.asked.some(({ name }) => name === 'lab.test'))).toBe(true)
    expect(await other.dig('outside.test')).toEqual([])
    expect(other.notices).toEqual([])
  })
})

test("a cluster's forwarder has the zones, policy, 0x20 and rebind protection of its settings", async () => {
  await using scope = new Scope()
  const upstream = scope.add(
    await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, '10.0.0.1')] })),
    ),
  )
  const zoned = scope.add(
    await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, '10.0.0.2')] })),
    ),
  )
  const { dns, dig } = await openForwarder(scope, {
    dnsUpstream: upstream.address,
    dnsZone: `corp.test=${zoned.address}`,
    dnsPolicy: 'random',
    dnsMixedCase: 'on',
    dnsRebindProtection: 'on',
  })
  expect(await dig('a.corp.test')).toEqual(['10.0.0.2'])
  const refused = dns.query({ name: 'rebind.test' })
  expect(await dig('rebind.test')).toEqual([])
  expect((await refused).rcode).toBe('REFUSED')
  expect(dns.snapshot().upstreams.map(({ zone }) => zone)).toEqual(['.', 'corp.test'])
  const long = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.test'
  await dig(long)
  const sent = upstream.asked.find(({ name }) => name.toLowerCase() === long)!.name
  expect([sent !== long, sent !== long.toUpperCase()]).toEqual([true, true])
})
