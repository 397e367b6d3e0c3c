import { describe, expect, test } from 'vitest'
import { printSettings, resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'

const read = (options: SettingOptions) => resolveSettings({ options })

describe('settings of the DNS forwarder', () => {
  test.each([
    'on',
    'off',
    '192.0.2.1',
    '192.0.2.1:5353,2001:db8::1',
    '[2001:db8::1]:53',
    'fe80::1%eth0,[fe80::1%eth0]:5353',
    'tls://192.0.2.1#dns.example,tls://[2001:db8::1]:8853',
    'https://192.0.2.1/dns-query#dns.example,https://[2001:db8::1]:8443',
  ])('accept the name servers %s', text => expect(read({ dnsUpstream: text }).dnsUpstream).toBe(text))

  test.each([
    '',
    'yes',
    'example.org',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1,',
    '[192.0.2.1',
    '192.0.2.256',
    'tls://dns.example',
    'tls://192.0.2.1/path',
    'https://dns.example/dns-query',
    'http://192.0.2.1',
  ])('refuse the name servers "%s"', text =>
    expect(() => read({ dnsUpstream: text })).toThrow(/is not on \(resolv\.conf\), off, or name servers/),
  )

  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(50)}`
  test.each([
    ['', ''],
    ['lab.test', 'lab.test'],
    ['Lab.TEST.', 'lab.test'],
    ['home.arpa', 'home.arpa'],
    ['internal', 'internal'],
    ['xn--bcher-kva.2x.test', 'xn--bcher-kva.2x.test'],
    [longest, longest],
  ])('take the domain "%s" as "%s"', (text, domain) => expect(read({ domain: text }).domain).toBe(domain))

  test.each([
    ...['.', '..', '.test', 'lab..test', 'lab test', '-lab.test', 'lab-.test', 'lab_1.test', '*.test'],
    ...['bücher.test', 'lab.42', '192.0.2.1', `${'a'.repeat(64)}.test`, `d${longest}`, 'lab.test\n', 'a/b'],
  ])('refuse the domain "%s"', text =>
    expect(() => read({ domain: text })).toThrow(/is not a domain such as lab\.test/),
  )

  test('read name servers of domains from text and from objects, and print them', () => {
    const text = 'a.test=192.0.2.1,a.test=[fd00::1]:5353,b.test=192.0.2.2,trust-ad'
    const dnsZone = [
      { domain: 'a.test', upstreams: ['192.0.2.1', '[fd00::1]:5353'], trustAd: false },
      { domain: 'b.test', upstreams: ['192.0.2.2'], trustAd: true },
    ]
    expect(read({ dnsZone: text }).dnsZone).toEqual(dnsZone)
    expect(read({ dnsZone }).dnsZone).toEqual(dnsZone)
    expect(read({ dnsZone: 'a.test=192.0.2.1,[fd00::1]:5353,b.test=192.0.2.2,trust-ad' }).dnsZone).toEqual(
      dnsZone,
    )
    expect(printSettings(read({ dnsZone }))).toContain(`__dns_zone='${text}'\n`)
  })

  test.each([
    'a.test',
    '=192.0.2.1',
    'a.test=',
    'a.test=b',
    'a.test=trust-ad',
    '192.0.2.1',
    'a..b=192.0.2.1',
    ',',
  ])('refuse the zones "%s"', dnsZone =>
    expect(() => read({ dnsZone })).toThrow(/is not a list of domains with name servers/),
  )

  test('read names to answer from text and from objects, and print them for the shell', () => {
    const dnsSpoof = [
      { name: 'registry.example.org', address: '192.168.0.250' },
      { name: '*.example.net', address: 'fd00::1' },
    ]
    const text = 'registry.example.org=192.168.0.250,*.example.net=fd00::1'
    expect(read({ dnsSpoof: text }).dnsSpoof).toEqual(dnsSpoof)
    expect(read({ dnsSpoof }).dnsSpoof).toEqual(dnsSpoof)
    expect(printSettings(read({ dnsSpoof }))).toContain(`__dns_spoof='${text}'\n`)
    expect(read({ dnsSpoof: '' }).dnsSpoof).toEqual([])
  })

  test.each([
    'a',
    'a=',
    '=192.0.2.1',
    'a=b',
    'a.*.b=192.0.2.1',
    'a..b=192.0.2.1',
    'a=192.0.2.1,',
    `${'a'.repeat(64)}=::1`,
  ])('refuse the names to answer %s', dnsSpoof =>
    expect(() => read({ dnsSpoof })).toThrow(/is not a list of names with addresses/),
  )
})
