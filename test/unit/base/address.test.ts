import * as fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { expect, test } from 'vitest'
import {
  addressBytes,
  addressText,
  isAddress,
  macBytes,
  macText,
  parseCidr,
} from '../../../src/base/index.ts'

test('an address converts to bytes and back to its canonical text', () => {
  expect([...addressBytes('192.168.0.250')]).toEqual([192, 168, 0, 250])
  expect(addressText(addressBytes('fd00:0:0:0:0:0:c0a8:00fa'))).toBe('fd00::c0a8:fa')
  expect(macText(macBytes('00:00:00:01:00:FA'))).toBe('00:00:00:01:00:fa')
  expect(parseCidr('fd00::192.168.0.250/120')).toEqual({ address: 'fd00::c0a8:fa', prefix: 120 })
})

test('text that is not an address is refused, and the error quotes it', () => {
  expect(() => addressBytes('192.168.0')).toThrow("'192.168.0' is not an IP address")
  expect(() => parseCidr('192.168.0.1')).toThrow("'192.168.0.1' is not an address with a prefix length")
  expect(() => macBytes('00:00')).toThrow("'00:00' is not an Ethernet address")
})

test('addresses are read and written as ipaddr.js does it, which is too slow to load', async () => {
  const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), sparse)
  await fc.assert(
    fc.property(bytes, value => {
      const parsed = ipaddr.fromByteArray([...value])
      const text = parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
      expect(addressText(value)).toBe(text)
      expect([...addressBytes(parsed.toNormalizedString())]).toEqual([...value])
      expect([...addressBytes(text.toUpperCase())]).toEqual([...value])
    }),
  )
})

/** IPv6 addresses with runs of zeros, which is where their spellings differ. */
const sparse = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map(groups => Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff])))

test('text that only looks like an address is refused', () => {
  const wrong = [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '::1%eth0',
  ]
  for (const text of [
    ...wrong,
    '[::1]',
    '::1]/',
    '::1/64',
    ' ::1',
    'g::',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3.256',
  ])
    expect(isAddress(text), text).toBe(false)
  for (const text of ['::', '::1', 'fd00::192.168.0.1', '1:2:3:4:5:6:7:8', '0.0.0.0', '255.255.255.255'])
    expect(isAddress(text), text).toBe(true)
})
