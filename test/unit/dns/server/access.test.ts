import { describe, expect, test } from 'vitest'
import { Access } from '../../../../src/dns/server/acl.ts'
import { parsePlace, placeText } from '../../../../src/dns/server/address.ts'
import { idleLimit, usualLimits } from '../../../../src/dns/server/limits.ts'
import { questionFor } from '../../../support/dns-client.ts'

const from = (address: string) => ({ address, loopback: address.startsWith('127.') || address === '::1' })

test('this machine has access, and others only from the given networks', () => {
  const none = new Access()
  expect(none.allows(from('127.0.0.1'))).toBe(true)
  expect(none.allows(from('::1'))).toBe(true)
  expect(none.allows(from('192.168.0.1'))).toBe(false)
  const some = new Access({ allow: ['192.168.0.0/24', 'fd00::/64', '10.0.0.7/32'] })
  const verdicts = [
    '192.168.0.1',
    '192.168.1.1',
    'fd00::1',
    'fd01::1',
    '10.0.0.7',
    '10.0.0.8',
    'fe80::1%eth0',
  ]
  for (let i = 0; i < 2; i++)
    expect(verdicts.map(address => some.allows(from(address)))).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      false,
    ])
  expect(() => new Access({ allow: ['192.168.0.0'] })).toThrow('is not an address with a prefix length')
})

test('a million unknown clients cost the memory of a thousand', () => {
  const access = new Access({ allow: ['192.168.0.0/24'] })
  for (let i = 0; i < 5000; i++) access.allows(from(`10.0.${i >> 8}.${i & 255}`))
  expect(access.allows(from('192.168.0.9'))).toBe(true)
})

test('a refusal is no longer than its query, and a malformed query gets none', () => {
  const access = new Access()
  const bytes = questionFor('example.org', 77)
  const into = { bytes: Buffer.alloc(600, 0xff), at: 10, length: 512 }
  const length = access.refuse({ bytes, at: 0, length: bytes.length }, into)
  expect(length).toBe(bytes.length)
  expect(into.bytes[10 + 3]! & 15).toBe(5)
  expect(into.bytes.readUInt16BE(10)).toBe(77)
  bytes[2]! |= 0x80
  expect(access.refuse({ bytes, at: 0, length: bytes.length }, into)).toBe(0)
  expect(access.refuse({ bytes, at: 0, length: 11 }, into)).toBe(0)
})

describe('listening addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1:10053'],
    ['192.0.2.1:53', '192.0.2.1:53'],
    ['[::1]:53', '[::1]:53'],
    ['::1', '[::1]:10053'],
    [':53', '[::]:53'],
    ['[fe80::1%eth0]:0', '[fe80::1%eth0]:0'],
  ])('read %s as %s', (text, spelled) => {
    expect(placeText(parsePlace(text))).toBe(spelled)
  })

  test.each(['', 'localhost', '192.0.2.1:', '192.0.2.1:65536', '[::1', '1:2:3', 'a b'])('refuse %s', text => {
    expect(() => parsePlace(text)).toThrow(
      expect.objectContaining({ code: 'DNS_BAD_ADDRESS', kind: 'usage' }),
    )
  })
})

test('an idle connection has 30 s, and less once more than half of the connections are in use', () => {
  const at = (open: number) => idleLimit(usualLimits, open)
  expect([at(1), at(500), at(1000)]).toEqual([30_000, 30_000, 2000])
  expect(at(750)).toBe(16_000)
})
