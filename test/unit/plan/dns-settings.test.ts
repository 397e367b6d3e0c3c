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
  ])('refuse the name servers "%s"', text =>
    expect(() => read({ dnsUpstream: text })).toThrow(/is not on \(resolv\.conf\), off, or name servers/),
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
